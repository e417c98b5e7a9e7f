#include "promql/script/histogram_values.h"

#include <algorithm>
#include <map>

#include "promql/exec/rows/math.h"

namespace gauntlet::promql {
namespace {

// Bucket counts by index.
std::map<int64_t, double> ByIndex(const std::vector<HistogramSpan>& spans, const std::vector<double>& buckets) {
  std::map<int64_t, double> out;
  int64_t index = 0;
  size_t next = 0;
  for (const HistogramSpan& span : spans) {
    index += span.offset;
    for (uint32_t i = 0; i < span.length && next < buckets.size(); ++i) out[index++] = buckets[next++];
  }
  return out;
}

void FromIndex(const std::map<int64_t, double>& by_index, std::vector<HistogramSpan>* spans,
               std::vector<double>* buckets) {
  int64_t end = 0;
  for (const auto& [index, count] : by_index) {
    if (spans->empty() || index != end) {
      spans->push_back({static_cast<int32_t>(index - (spans->empty() ? 0 : end)), 0});
    }
    ++spans->back().length;
    buckets->push_back(count);
    end = index + 1;
  }
}

// The same counts in buckets of a lower schema, each of which covers 2^levels of the old ones.
std::map<int64_t, double> Reduced(const std::map<int64_t, double>& buckets, int32_t levels) {
  std::map<int64_t, double> out;
  for (const auto& [index, count] : buckets) out[((index - 1) >> levels) + 1] += count;
  return out;
}

std::map<int64_t, double> Sum(std::map<int64_t, double> a, const std::map<int64_t, double>& b, double sign) {
  for (const auto& [index, count] : b) a[index] += sign * count;
  return a;
}

bool SameBuckets(std::map<int64_t, double> a, std::map<int64_t, double> b, double epsilon) {
  std::erase_if(a, [](const auto& e) { return e.second == 0; });
  std::erase_if(b, [](const auto& e) { return e.second == 0; });
  if (a.size() != b.size()) return false;
  for (auto i = a.begin(), j = b.begin(); i != a.end(); ++i, ++j) {
    if (i->first != j->first || !AlmostEqual(i->second, j->second, epsilon)) return false;
  }
  return true;
}

}  // namespace

Result<Histogram> AddHistograms(const Histogram& a, const Histogram& b, double sign) {
  if (a.uses_custom_buckets() != b.uses_custom_buckets() || a.zero_threshold != b.zero_threshold ||
      a.custom_values != b.custom_values) {
    return Status(Code::kUnsupported, "sequences of histograms of different layouts");
  }
  Histogram out;
  out.schema = std::min(a.schema, b.schema);
  auto add = [&](auto spans, auto buckets) {
    return Sum(Reduced(ByIndex(a.*spans, a.*buckets), a.schema - out.schema),
               Reduced(ByIndex(b.*spans, b.*buckets), b.schema - out.schema), sign);
  };
  out.reset_hint = a.reset_hint == b.reset_hint ? a.reset_hint : ResetHint::kUnknown;
  out.zero_threshold = a.zero_threshold;
  out.custom_values = a.custom_values;
  out.zero_count = a.zero_count + sign * b.zero_count;
  out.count = a.count + sign * b.count;
  out.sum = a.sum + sign * b.sum;
  FromIndex(add(&Histogram::positive_spans, &Histogram::positive_buckets), &out.positive_spans, &out.positive_buckets);
  FromIndex(add(&Histogram::negative_spans, &Histogram::negative_buckets), &out.negative_spans, &out.negative_buckets);
  return out;
}

bool AlmostSameHistogram(const Histogram& a, const Histogram& b, double epsilon, bool compare_hint) {
  return a.schema == b.schema && AlmostEqual(a.count, b.count, epsilon) && AlmostEqual(a.sum, b.sum, epsilon) &&
         a.custom_values == b.custom_values && a.zero_threshold == b.zero_threshold &&
         AlmostEqual(a.zero_count, b.zero_count, epsilon) &&
         SameBuckets(ByIndex(a.positive_spans, a.positive_buckets), ByIndex(b.positive_spans, b.positive_buckets),
                     epsilon) &&
         SameBuckets(ByIndex(a.negative_spans, a.negative_buckets), ByIndex(b.negative_spans, b.negative_buckets),
                     epsilon) &&
         (!compare_hint || a.reset_hint == b.reset_hint);
}

}  // namespace gauntlet::promql
