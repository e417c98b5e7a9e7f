#include "promql/exec/rows/annotation_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "model/float_text.h"
#include "model/labels.h"
#include "model/time.h"

namespace gauntlet::promql {
namespace {

std::string WithMetric(std::string text, std::string_view metric) {
  return metric.empty() ? text : fmt::format("{} for metric name {}", text, GoQuote(metric));
}

// Go's %.2g: like C's, but for the names of what is not a number.
std::string TwoDigits(double v) {
  if (!std::isfinite(v)) return FormatG(v);
  return fmt::format("{:.2g}", v);
}

std::string_view NameOf(HistogramOperation operation) {
  switch (operation) {
    case HistogramOperation::kAddition:
      return "addition";
    case HistogramOperation::kSubtraction:
      return "subtraction";
    case HistogramOperation::kAggregation:
      break;
  }
  return "aggregation";
}

// 2018-07-04T20:27:12Z, seconds cut towards zero.
std::string Seconds(int64_t ms) { return FormatRfc3339Ms(ms / 1000 * 1000); }

}  // namespace

std::string FormatG(double v) { return FormatFloatG(v); }

std::string LineAndColumn(std::string_view query, int offset) {
  if (query.empty()) return "unknown position";
  if (offset < 0 || static_cast<size_t>(offset) > query.size()) return "invalid position";
  std::string_view before = query.substr(0, static_cast<size_t>(offset));
  size_t newline = before.rfind('\n');
  int column = offset - (newline == std::string_view::npos ? -1 : static_cast<int>(newline));
  return fmt::format("{}:{}", 1 + std::count(before.begin(), before.end(), '\n'), column);
}

void ForcedMonotonicity::Merge(const ForcedMonotonicity& more) {
  first_ms = std::min(first_ms, more.first_ms);
  last_ms = std::max(last_ms, more.last_ms);
  if (more.min_bucket < min_bucket) min_bucket = more.min_bucket;
  if (more.max_bucket > max_bucket) max_bucket = more.max_bucket;
  if (more.max_diff > max_diff) max_diff = more.max_diff;
  count = static_cast<int64_t>(static_cast<uint64_t>(count) + static_cast<uint64_t>(more.count));  // it may wrap
}

void AnnotationSet::Insert(std::string text, const Entry& entry) {
  auto [at, inserted] = entries_.try_emplace(std::move(text), entry);
  if (inserted) return;
  Entry& old = at->second;
  switch (old.detail) {
    case Detail::kNone:
      old = entry;
      break;
    case Detail::kMonotonicity:
      old.monotonicity.Merge(entry.monotonicity);
      break;
    case Detail::kOverlap:
      old.monotonicity.count += entry.monotonicity.count;
      break;
  }
}

void AnnotationSet::Add(bool warning, std::string_view text, PositionRange pos) {
  // The same again is common: once per series.
  if (auto at = entries_.find(text); at != entries_.end()) {
    at->second.pos = pos;
    return;
  }
  Insert(std::string(text), {.warning = warning, .pos = pos});
}

void AnnotationSet::InvalidQuantile(double q, PositionRange pos) {
  Warn(fmt::format("quantile value should be between 0 and 1, got {}", FormatG(q)), pos);
}
void AnnotationSet::BadBucketLabel(std::string_view metric, std::string_view le, PositionRange pos) {
  Warn(WithMetric(fmt::format("bucket label \"le\" is missing or has a malformed value of {}", GoQuote(le)), metric),
       pos);
}
void AnnotationSet::MixedFloatsHistograms(std::string_view metric, PositionRange pos) {
  Warn(fmt::format("encountered a mix of histograms and floats for metric name {}", GoQuote(metric)), pos);
}
void AnnotationSet::MixedFloatsHistogramsInAggregation(PositionRange pos) {
  Warn("encountered a mix of histograms and floats for aggregation", pos);
}
void AnnotationSet::MixedExponentialCustom(std::string_view metric, PositionRange pos) {
  Warn(fmt::format("vector contains a mix of histograms with exponential and custom buckets schemas for metric name {}",
                   GoQuote(metric)),
       pos);
}
void AnnotationSet::MixedClassicNative(std::string_view metric, PositionRange pos) {
  Warn(WithMetric("vector contains a mix of classic and native histograms", metric), pos);
}
void AnnotationSet::HistogramIgnoredInAggregation(std::string_view aggregation, PositionRange pos) {
  Info(fmt::format("ignored histogram in {} aggregation", aggregation), pos);
}
void AnnotationSet::HistogramIgnoredInMixedRange(std::string_view metric, PositionRange pos) {
  Info(fmt::format("ignored histograms in a range containing both floats and histograms for metric name {}",
                   GoQuote(metric)),
       pos);
}
void AnnotationSet::IncompatibleTypes(std::string_view lhs, std::string_view op, std::string_view rhs,
                                      PositionRange pos) {
  Info(fmt::format("incompatible sample types encountered for binary operator \"{}\": {} {} {}", op, lhs, op, rhs),
       pos);
}
void AnnotationSet::IncompatibleBucketLayout(std::string_view op, PositionRange pos) {
  Warn(fmt::format("incompatible bucket layout encountered for binary operator {}", op), pos);
}
void AnnotationSet::ResetCollision(HistogramOperation operation, PositionRange pos) {
  Warn(fmt::format("conflicting counter resets during histogram {}", NameOf(operation)), pos);
}
void AnnotationSet::BoundsReconciled(HistogramOperation operation, PositionRange pos) {
  Info(fmt::format("mismatched custom buckets were reconciled during {}", NameOf(operation)), pos);
}
void AnnotationSet::NativeNotCounter(std::string_view metric, PositionRange pos) {
  Warn(fmt::format("this native histogram metric is not a counter: {}", GoQuote(metric)), pos);
}
void AnnotationSet::NativeNotGauge(std::string_view metric, PositionRange pos) {
  Warn(fmt::format("this native histogram metric is not a gauge: {}", GoQuote(metric)), pos);
}
void AnnotationSet::QuantileIsNaN(std::string_view metric, PositionRange pos) {
  Info(WithMetric("input to histogram_quantile has NaN observations, result is NaN", metric), pos);
}
void AnnotationSet::QuantileSkewedByNaN(std::string_view metric, PositionRange pos) {
  Info(WithMetric("input to histogram_quantile has NaN observations, result is skewed higher", metric), pos);
}
void AnnotationSet::FractionWithoutNaN(std::string_view metric, PositionRange pos) {
  Info(WithMetric("input to histogram_fraction has NaN observations, which are excluded from all fractions", metric),
       pos);
}
void AnnotationSet::PossibleNonCounter(std::string_view metric, PositionRange pos) {
  Info(fmt::format("metric might not be a counter, name does not end in _total/_sum/_count/_bucket: {}",
                   GoQuote(metric)),
       pos);
}
void AnnotationSet::PossibleNonCounterLabel(std::string_view metric, std::string_view type, PositionRange pos) {
  Info(fmt::format("metric might not be a counter, __type__ label is not set to \"counter\" or \"histogram\", got {}: "
                   "{}",
                   GoQuote(type), GoQuote(metric)),
       pos);
}
void AnnotationSet::NonMonotonicBuckets(std::string_view metric, const ForcedMonotonicity& found, PositionRange pos) {
  Insert(WithMetric("input to histogram_quantile needed to be fixed for monotonicity (see "
                    "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)",
                    metric),
         {.warning = false, .pos = pos, .detail = Detail::kMonotonicity, .monotonicity = found});
}
void AnnotationSet::StartTimeOverlap(std::string_view metric, PositionRange pos) {
  Insert(
      fmt::format("sample has start time that overlaps with previous sample timestamp for metric {}", GoQuote(metric)),
      {.warning = true, .pos = pos, .detail = Detail::kOverlap, .monotonicity = {}});
}

void AnnotationSet::Add(const Annotations& plain) { plain_.Merge(plain); }

void AnnotationSet::Merge(const AnnotationSet& other) {
  for (const auto& [text, entry] : other.entries_) Insert(text, entry);
  plain_.Merge(other.plain_);
}

Annotations AnnotationSet::Render(std::string_view query) const {
  Annotations out = plain_;
  for (const auto& [text, entry] : entries_) {
    std::string full = (entry.warning ? "PromQL warning: " : "PromQL info: ") + text;
    const ForcedMonotonicity& m = entry.monotonicity;
    if (entry.detail == Detail::kMonotonicity) {
      full += fmt::format(", from buckets {} to {}, with a max diff of {}, over {} samples from {} to {}",
                          FormatG(m.min_bucket), FormatG(m.max_bucket), TwoDigits(m.max_diff), m.count,
                          Seconds(m.first_ms), Seconds(m.last_ms));
    } else if (entry.detail == Detail::kOverlap && m.count > 1) {
      full += fmt::format(" ({} occurrences)", m.count);
    }
    full += " (" + LineAndColumn(query, entry.pos.start) + ")";
    entry.warning ? out.Warn(std::move(full)) : out.Info(std::move(full));
  }
  return out;
}

}  // namespace gauntlet::promql
