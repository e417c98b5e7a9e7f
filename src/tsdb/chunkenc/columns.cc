#include "tsdb/chunkenc/columns.h"

#include <fmt/format.h>

#include <algorithm>

namespace gauntlet::tsdb {
namespace {

// The histograms of samples from `base` on.
std::vector<HistogramSample>::iterator FirstHistogram(size_t base, Samples* out) {
  return std::partition_point(out->histograms.begin(), out->histograms.end(),
                              [&](const HistogramSample& h) { return h.position < base; });
}

// Keeps the `count` samples from index `first` on of those from `base` on.
void KeepSlice(size_t base, size_t first, size_t count, Samples* out) {
  auto keep = [&](auto& column) {
    using Offset = std::ptrdiff_t;
    column.resize(first + count);
    column.erase(column.begin() + static_cast<Offset>(base), column.begin() + static_cast<Offset>(first));
  };
  bool has_start_times = !out->start_times_ms.empty();
  keep(out->times_ms);
  keep(out->values);
  if (has_start_times) keep(out->start_times_ms);
  if (out->histograms.empty()) return;
  auto from = FirstHistogram(base, out);
  auto kept_from = FirstHistogram(first, out), kept_to = FirstHistogram(first + count, out);
  out->histograms.erase(kept_to, out->histograms.end());
  for (auto h = kept_from; h != out->histograms.end(); ++h) h->position -= static_cast<uint32_t>(first - base);
  out->histograms.erase(from, kept_from);
}

}  // namespace

Status MalformedChunk(Encoding encoding, size_t samples, size_t bytes) {
  return Status(Code::kCorrupt, fmt::format("{} chunk of {} samples does not parse within its {} bytes",
                                            EncodingName(encoding), samples, bytes));
}

void DropTail(size_t base, Samples* out) { KeepSlice(base, base, 0, out); }

void CutToRange(size_t base, int64_t mint_ms, int64_t maxt_ms, Samples* out) {
  const auto& times = out->times_ms;
  if (times.size() == base || (times[base] >= mint_ms && times.back() <= maxt_ms)) return;
  auto begin = times.begin() + static_cast<std::ptrdiff_t>(base);
  auto first = std::lower_bound(begin, times.end(), mint_ms);
  auto last = std::upper_bound(first, times.end(), maxt_ms);
  KeepSlice(base, static_cast<size_t>(first - times.begin()), static_cast<size_t>(last - first), out);
}

void KeepAscending(size_t base, Samples* out) {
  auto& times = out->times_ms;
  auto begin = times.begin() + static_cast<std::ptrdiff_t>(base);
  if (std::is_sorted(begin, times.end())) return;
  if (!out->start_times_ms.empty()) out->start_times_ms.resize(times.size());
  auto h = FirstHistogram(base, out);
  auto kept_h = h;
  size_t kept = base;
  for (size_t i = base; i < times.size(); ++i) {
    bool is_histogram = h != out->histograms.end() && h->position == i;
    if (kept == base || times[i] >= times[kept - 1]) {
      times[kept] = times[i];
      out->values[kept] = out->values[i];
      if (!out->start_times_ms.empty()) out->start_times_ms[kept] = out->start_times_ms[i];
      if (is_histogram) {
        if (kept_h != h) kept_h->histogram = std::move(h->histogram);
        kept_h++->position = static_cast<uint32_t>(kept);
      }
      ++kept;
    }
    if (is_histogram) ++h;
  }
  out->histograms.erase(kept_h, out->histograms.end());
  times.resize(kept);
  out->values.resize(kept);
  if (!out->start_times_ms.empty()) out->start_times_ms.resize(kept);
}

}  // namespace gauntlet::tsdb
