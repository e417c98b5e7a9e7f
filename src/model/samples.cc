#include "model/samples.h"

#include <algorithm>

namespace gauntlet {

namespace {

constexpr size_t kFew = 16;  // elements that are appended one by one: a range takes longer to begin with

}  // namespace

void AppendRange(const Samples& from, size_t begin, size_t end, Samples* out) {
  if (begin == end) return;
  auto copy = [&](const auto& source, auto& target) {
    if (end - begin <= kFew) {
      for (size_t i = begin; i < end; ++i) target.push_back(source[i]);
      return;
    }
    target.insert(target.end(), source.begin() + static_cast<std::ptrdiff_t>(begin),
                  source.begin() + static_cast<std::ptrdiff_t>(end));
  };
  size_t base = out->size();
  copy(from.times_ms, out->times_ms);
  copy(from.values, out->values);
  if (!from.start_times_ms.empty()) {
    out->start_times_ms.resize(base);
    copy(from.start_times_ms, out->start_times_ms);
  } else if (!out->start_times_ms.empty()) {
    out->start_times_ms.resize(out->size());
  }
  if (from.histograms.empty()) return;
  auto h = std::partition_point(from.histograms.begin(), from.histograms.end(),
                                [&](const HistogramSample& sample) { return sample.position < begin; });
  for (; h != from.histograms.end() && h->position < end; ++h) {
    out->histograms.push_back({static_cast<uint32_t>(base + h->position - begin), h->histogram});
  }
}

}  // namespace gauntlet
