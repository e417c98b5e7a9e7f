#include "api/result_json.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/executor.h"
#include "base/ordered_for.h"
#include "json/sample_heads.h"
#include "model/float_text.h"
#include "model/histogram_buckets.h"

namespace gauntlet::api {
namespace {

void WriteHistogramPoint(json::Writer& writer, int64_t time_ms, const Histogram& histogram) {
  writer.BeginArray().ApiTime(time_ms);
  WriteHistogram(writer, histogram);
  writer.EndArray();
}

void WriteVector(JsonReply& json, const promql::QueryResult& result, size_t count) {
  json::Writer& writer = json.writer();
  int64_t time_ms = result.grid.time_ms(0);
  for (size_t i = 0; i < count; ++i) {
    const promql::Row& row = result.rows[i];
    writer.BeginObject().Key("metric");
    WriteLabels(writer, row.labels);
    if (row.column.Has(0)) {
      writer.Key("value").ApiSample(time_ms, row.column.values()[0]);
    } else if (!row.column.histograms().empty()) {
      writer.Key("histogram");
      WriteHistogramPoint(writer, time_ms, *row.column.histograms()[0].histogram);
    }
    writer.EndObject();
    if (!json.Pass()) return;
  }
}

void WriteRow(json::Writer& writer, const json::SampleHeads& heads, const promql::Row& row,
              const promql::StepGrid& grid) {
  const promql::Column& column = row.column;
  if (column.CountFloats() > 0) {
    heads.WriteSamples(writer.Key("values"), {column.present(), column.words()}, column.values());
  }
  if (column.histograms().empty()) return;
  writer.Key("histograms").BeginArray();
  for (const promql::HistogramPoint& point : column.histograms()) {
    WriteHistogramPoint(writer, grid.time_ms(point.step), *point.histogram);
  }
  writer.EndArray();
}

void WriteSamples(json::Writer& writer, const Samples& samples) {
  if (samples.size() > samples.histograms.size()) {
    writer.Key("values").BeginArray();
    size_t next = 0;
    for (size_t i = 0; i < samples.size(); ++i) {
      if (next < samples.histograms.size() && samples.histograms[next].position == i) {
        ++next;
      } else {
        writer.ApiSample(samples.times_ms[i], samples.values[i]);
      }
    }
    writer.EndArray();
  }
  if (samples.histograms.empty()) return;
  writer.Key("histograms").BeginArray();
  for (const HistogramSample& sample : samples.histograms) {
    WriteHistogramPoint(writer, samples.times_ms[sample.position], sample.histogram);
  }
  writer.EndArray();
}

size_t SeriesCount(const promql::QueryResult& result) {
  return result.type == promql::ValueType::kMatrix && !result.matrix.empty() ? result.matrix.size()
                                                                             : result.rows.size();
}

size_t Cut(const promql::QueryResult& result, int64_t limit) {
  size_t count = SeriesCount(result);
  return limit > 0 && count > static_cast<size_t>(limit) ? static_cast<size_t>(limit) : count;
}

// One series of a matrix.
void WriteSeries(json::Writer& writer, const promql::QueryResult& result, const json::SampleHeads& heads, size_t i) {
  writer.BeginObject().Key("metric");
  if (!result.matrix.empty()) {
    WriteLabels(writer, result.matrix[i].labels);
    WriteSamples(writer, result.matrix[i].samples);
  } else {
    WriteLabels(writer, result.rows[i].labels);
    WriteRow(writer, heads, result.rows[i], result.grid);
  }
  writer.EndObject();
}

void WriteMatrix(JsonReply& json, const promql::QueryResult& result, size_t count, Executor* executor) {
  json::SampleHeads heads;
  if (result.matrix.empty() && count > 0) {
    heads.Reserve(result.grid.steps);
    for (uint32_t step = 0; step < result.grid.steps; ++step) heads.Add(result.grid.time_ms(step));
  }
  constexpr size_t kPieceSamples = 12 * 1024, kSampleBytes = 40;  // some 500 kB
  const size_t piece = std::max<size_t>(1, kPieceSamples / std::max(1u, result.grid.steps));
  if (executor == nullptr || executor->width() <= 1 || count <= piece) {
    json.Expect(count * result.grid.steps * kSampleBytes);
    for (size_t i = 0; i < count; ++i) {
      WriteSeries(json.writer(), result, heads, i);
      if (!json.Pass()) return;
    }
    return;
  }
  std::vector<std::string> pieces(2 * executor->width());
  auto make = [&](size_t slot, size_t p) {
    std::string& text = pieces[slot];
    text.reserve(kPieceSamples * kSampleBytes);
    if (p > 0) text += ',';
    json::Writer writer(&text);
    const size_t end = std::min(count, (p + 1) * piece);
    for (size_t i = p * piece; i < end; ++i) WriteSeries(writer, result, heads, i);
  };
  OrderedFor(*executor, (count + piece - 1) / piece, pieces.size(), make,
             [&](size_t slot, size_t) { return json.SendBehind(std::exchange(pieces[slot], {})); });
}

}  // namespace

bool IsCut(const promql::QueryResult& result, int64_t limit) { return Cut(result, limit) < SeriesCount(result); }

void WriteLabels(json::Writer& writer, LabelsView labels) {
  writer.BeginObject();
  for (const Label& label : labels) writer.Key(label.name).PlainString(label.value);
  writer.EndObject();
}

void WriteHistogram(json::Writer& writer, const Histogram& histogram) {
  writer.BeginObject().Key("count").ApiFloat(histogram.count).Key("sum").ApiFloat(histogram.sum);
  bool open = false;
  ForEachBucket(histogram, [&](const HistogramBucket& bucket) {
    if (bucket.count == 0) return;
    if (!open) writer.Key("buckets").BeginArray();
    open = true;
    // 0: open left, 1: open right, 2: open both, 3: closed both.
    int rule = bucket.lower_inclusive ? (bucket.upper_inclusive ? 3 : 1) : (bucket.upper_inclusive ? 0 : 2);
    writer.BeginArray().Int(rule).ApiFloat(bucket.lower).ApiFloat(bucket.upper).ApiFloat(bucket.count).EndArray();
  });
  if (open) writer.EndArray();
  writer.EndObject();
}

void WriteResult(JsonReply& json, const promql::QueryResult& result, int64_t limit, Executor* executor) {
  json::Writer& writer = json.writer();
  writer.StringMember("resultType", promql::ValueTypeText(result.type)).Key("result");
  switch (result.type) {
    case promql::ValueType::kScalar:
      writer.ApiSample(result.grid.time_ms(0), result.scalar);
      break;
    case promql::ValueType::kString:
      writer.BeginArray().ApiTime(result.grid.time_ms(0)).String(result.string).EndArray();
      break;
    case promql::ValueType::kVector:
      writer.BeginArray();
      WriteVector(json, result, Cut(result, limit));
      writer.EndArray();
      break;
    default:
      writer.BeginArray();
      WriteMatrix(json, result, Cut(result, limit), executor);
      writer.EndArray();
  }
}

void WriteStats(json::Writer& writer, const promql::QueryResult& result) {
  const promql::QueryStats& stats = result.stats;
  auto per_step = [&](const char* key, const std::vector<int64_t>& counts) {
    if (counts.empty()) return;
    writer.Key(key).BeginArray();
    for (size_t i = 0; i < counts.size(); ++i) {
      writer.BeginArray().ApiTime(result.grid.time_ms(static_cast<uint32_t>(i))).Int(counts[i]).EndArray();
    }
    writer.EndArray();
  };
  writer.BeginObject().Key("timings").BeginObject();
  writer.Key("evalTotalTime").Double(stats.eval_total).Key("resultSortTime").Double(stats.result_sort);
  writer.Key("queryPreparationTime").Double(stats.query_preparation).Key("innerEvalTime").Double(stats.inner_eval);
  writer.Key("execQueueTime").Double(stats.exec_queue).Key("execTotalTime").Double(stats.exec_total).EndObject();
  writer.Key("samples").BeginObject();
  per_step("totalQueryableSamplesPerStep", stats.total_queryable_samples_per_step);
  per_step("samplesReadPerStep", stats.samples_read_per_step);
  writer.IntMember("totalQueryableSamples", stats.total_queryable_samples).IntMember("peakSamples", stats.peak_samples);
  writer.IntMember("samplesRead", stats.samples_read).EndObject().EndObject();
}

void WriteExplanation(json::Writer& writer, const promql::Explanation& explanation) {
  writer.BeginObject().StringMember("name", explanation.name);
  if (explanation.cost) {
    const promql::OperatorCost& cost = *explanation.cost;
    writer.StringMember("executionTime", FormatFloatG(cost.self_seconds) + "s");
    writer.StringMember("totalTime", FormatFloatG(cost.total_seconds) + "s");
    writer.IntMember("series", cost.series).IntMember("samples", cost.samples);
    writer.IntMember("bytes", static_cast<int64_t>(cost.peak_bytes));
  }
  if (!explanation.children.empty()) {
    writer.Key("children").BeginArray();
    for (const auto& child : explanation.children) WriteExplanation(writer, child);
    writer.EndArray();
  }
  writer.EndObject();
}

}  // namespace gauntlet::api
