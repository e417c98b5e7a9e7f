#include "promql/script/nhcb.h"

#include <cmath>
#include <limits>
#include <map>
#include <optional>

#include "model/float_text.h"

namespace gauntlet::promql {
namespace {

struct Classic {
  std::map<double, double> buckets;  // by le
  std::optional<double> count;
  double sum = 0;
};

Result<Histogram> Convert(Classic classic) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  if (!classic.count && !classic.buckets.empty()) classic.count = classic.buckets.rbegin()->second;
  if (classic.buckets.empty() || classic.buckets.rbegin()->first != kInf) {
    classic.buckets[kInf] = classic.count.value_or(0);
  }
  Histogram h;
  h.schema = kCustomBucketsSchema;
  h.count = classic.count.value_or(0);
  h.sum = classic.sum;
  h.positive_spans = {{0, static_cast<uint32_t>(classic.buckets.size())}};
  double previous = 0;
  for (const auto& [le, count] : classic.buckets) {
    if (count < previous) return Status(Code::kInvalid, "bucket counts are not cumulative");
    h.positive_buckets.push_back(count - previous);
    previous = count;
    if (le != kInf) h.custom_values.push_back(le);
  }
  if (previous != h.count) return Status(Code::kInvalid, "count does not match the last bucket");
  return h;
}

}  // namespace

Status AppendCustomBucketHistograms(const LoadCommand& load, ScriptStorage* storage) {
  std::map<Labels, std::map<int64_t, Classic>> histograms;
  for (const LoadCommand::Series& series : load.series) {
    std::string_view name = series.labels.Get(kMetricName);
    enum { kBucket, kCount, kSum } part;
    std::string_view suffix;
    if (name.ends_with("_bucket")) {
      part = kBucket;
      suffix = "_bucket";
    } else if (name.ends_with("_count")) {
      part = kCount;
      suffix = "_count";
    } else if (name.ends_with("_sum")) {
      part = kSum;
      suffix = "_sum";
    } else {
      continue;
    }
    Result<double> le = ParseFloat(series.labels.Get(kBucketLabel));
    if (part == kBucket && (!le.ok() || std::isnan(*le))) continue;
    LabelsBuilder builder(series.labels);
    builder.Set(kMetricName, name.substr(0, name.size() - suffix.size())).Del(kBucketLabel);
    auto& by_time = histograms[builder.Build()];
    for (size_t i = 0; i < series.values.size(); ++i) {
      if (series.values[i].omitted || series.values[i].histogram) continue;
      Classic& classic = by_time[static_cast<int64_t>(i) * load.step_ms];
      double value = series.values[i].value;
      if (part == kBucket) {
        classic.buckets.emplace(*le, value);
      } else if (part == kCount) {
        classic.count = value;
      } else {
        classic.sum = value;
      }
    }
  }
  for (auto& [labels, by_time] : histograms) {
    for (auto& [time_ms, classic] : by_time) {
      GN_ASSIGN(Histogram histogram, Convert(std::move(classic)));
      storage->AppendHistogram(labels, time_ms, histogram);
    }
  }
  return Status();
}

}  // namespace gauntlet::promql
