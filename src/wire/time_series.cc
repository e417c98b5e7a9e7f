#include "wire/time_series.h"

#include <fmt/format.h>

#include <algorithm>

#include "wire/fields.h"

namespace gauntlet::wire {
namespace {

Status Malformed(const char* what) { return Status(Code::kCorrupt, fmt::format("TimeSeries: malformed {}", what)); }

// Sample{1: double value, 2: int64 timestamp}, which is nearly always 09 <8 bytes> 10 <varint>.
bool ReadSample(std::string_view message, double* value, int64_t* time_ms) {
  uint64_t time;
  if (message.size() > 10 && message[0] == static_cast<char>(Fixed64Key(1)) &&
      message[9] == static_cast<char>(VarintKey(2))) {
    ByteReader rest(message.substr(10));
    std::memcpy(value, message.data() + 1, sizeof(*value));
    if (rest.Uvarint(&time) && rest.empty()) {
      *time_ms = static_cast<int64_t>(time);
      return true;
    }
  }
  *value = 0;
  *time_ms = 0;
  FieldReader fields(message);
  while (fields.Next()) {
    if (fields.key() == Fixed64Key(1)) *value = fields.number();
    if (fields.key() == VarintKey(2)) *time_ms = fields.int64();
  }
  return fields.ok();
}

size_t SampleBytes(double value, int64_t time_ms) {
  return (std::bit_cast<uint64_t>(value) != 0 ? 9 : 0) + VarintFieldSize(static_cast<uint64_t>(time_ms));
}

Status AddHistogram(std::string_view message, Samples* samples) {
  HistogramSample sample;
  int64_t time_ms;
  GN_TRY(ReadHistogram(message, &sample.histogram, &time_ms));
  if (!samples->times_ms.empty() && time_ms <= samples->times_ms.back())
    return Status(Code::kCorrupt,
                  fmt::format("TimeSeries: histogram at {} behind {}", time_ms, samples->times_ms.back()));
  sample.position = static_cast<uint32_t>(samples->times_ms.size());
  samples->times_ms.push_back(time_ms);
  samples->values.push_back(0);
  samples->histograms.push_back(std::move(sample));
  return {};
}

// The time of a histogram message, without reading the rest of it.
bool HistogramTime(std::string_view message, int64_t* time_ms) {
  *time_ms = 0;
  FieldReader fields(message);
  while (fields.Next())
    if (fields.key() == VarintKey(15)) *time_ms = fields.int64();
  return fields.ok();
}

// Puts the histograms between the floats already read.
Status MergeHistograms(const std::vector<std::string_view>& messages, Samples* samples) {
  Samples floats;
  std::swap(floats, *samples);
  size_t f = 0;
  auto take_floats = [&](size_t end) {
    for (; f < end; ++f) {
      samples->times_ms.push_back(floats.times_ms[f]);
      samples->values.push_back(floats.values[f]);
    }
  };
  for (std::string_view message : messages) {
    int64_t time_ms;
    if (!HistogramTime(message, &time_ms)) return Malformed("histogram");
    take_floats(static_cast<size_t>(std::lower_bound(floats.times_ms.begin(), floats.times_ms.end(), time_ms) -
                                    floats.times_ms.begin()));
    if (f < floats.size() && floats.times_ms[f] == time_ms) continue;  // the float is kept
    GN_TRY(AddHistogram(message, samples));
  }
  take_floats(floats.size());
  return {};
}

}  // namespace

Status TimeSeriesReader::Read(std::string_view message, Samples* samples) {
  samples->Clear();
  fields_.Clear();
  histograms_.clear();
  const char* end = message.data() + message.size();
  const char* p = fields_.TakeRun(message.data(), end, end);
  FieldReader fields({p, static_cast<size_t>(end - p)});
  while (fields.Next()) {
    switch (fields.key()) {
      case BytesKey(1):
        if (!fields_.Take(fields.bytes())) return Malformed("label");
        break;
      case BytesKey(2): {
        double value;
        int64_t time_ms;
        if (!ReadSample(fields.bytes(), &value, &time_ms)) return Malformed("sample");
        if (!samples->times_ms.empty() && time_ms <= samples->times_ms.back())
          return Status(Code::kCorrupt,
                        fmt::format("TimeSeries: sample at {} behind {}", time_ms, samples->times_ms.back()));
        samples->times_ms.push_back(time_ms);
        samples->values.push_back(value);
        break;
      }
      case BytesKey(4):
        histograms_.push_back(fields.bytes());
        break;
      default:
        break;
    }
  }
  if (!fields.ok()) return Malformed("field");
  labels_ = fields_.Finish();
  if (!histograms_.empty()) return MergeHistograms(histograms_, samples);
  return {};
}

Result<std::vector<std::string_view>> ReadResponseSeries(std::string_view response, size_t query) {
  std::vector<std::string_view> series;
  FieldReader results(response);
  while (results.Next()) {
    if (results.key() != BytesKey(1) || query-- != 0) continue;
    FieldReader fields(results.bytes());
    while (fields.Next())
      if (fields.key() == BytesKey(1)) series.push_back(fields.bytes());
    if (!fields.ok()) return Status(Code::kCorrupt, "ReadResponse: malformed result");
  }
  if (!results.ok()) return Status(Code::kCorrupt, "ReadResponse: malformed field");
  return series;
}

void AppendTimeSeries(std::string& out, uint32_t field, LabelsView labels, const Samples& samples) {
  std::string histograms;
  for (const HistogramSample& h : samples.histograms)
    AppendHistogram(histograms, 4, h.histogram, samples.times_ms[h.position]);
  auto for_each_float = [&](auto use) {
    size_t h = 0;
    for (size_t i = 0; i < samples.size(); ++i) {
      if (h < samples.histograms.size() && samples.histograms[h].position == i) {
        ++h;
      } else {
        use(samples.values[i], samples.times_ms[i]);
      }
    }
  };
  size_t label_bytes = LabelFieldsSize(labels), bytes = label_bytes + histograms.size();
  for_each_float([&](double value, int64_t time_ms) { bytes += BytesSize(SampleBytes(value, time_ms)); });
  out.reserve(out.size() + BytesSize(bytes));
  PutHeader(out, field, bytes);
  AppendLabelFields(out, labels, label_bytes);
  for_each_float([&](double value, int64_t time_ms) {
    PutHeader(out, 2, SampleBytes(value, time_ms));
    AppendDouble(out, 1, value);
    AppendVarintField(out, 2, static_cast<uint64_t>(time_ms));
  });
  out.append(histograms);
}

}  // namespace gauntlet::wire
