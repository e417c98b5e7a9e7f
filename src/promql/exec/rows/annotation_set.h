// AnnotationSet: the warnings and infos of an evaluation, with the place in the query that each is about.
//
// They are told apart by text alone; of equal texts the place of the last one stays, so sets are merged in the order in
// which upstream evaluates. Two kinds add up what they saw instead: forced monotonicity and overlapping start times.
//
// Upstream: prometheus util/annotations
// Threads:  one thread at a time.

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "model/annotations.h"
#include "promql/syntax/ast.h"

namespace gauntlet::promql {

// Classic buckets that were not cumulative, at one step or more.
struct ForcedMonotonicity {
  int64_t first_ms = 0, last_ms = 0;
  double min_bucket = 0, max_bucket = 0, max_diff = 0;
  int64_t count = 1;

  void Merge(const ForcedMonotonicity& more);
};

enum class HistogramOperation : uint8_t { kAddition, kSubtraction, kAggregation };

class AnnotationSet {
 public:
  // `text` without the "PromQL warning: " or "PromQL info: " that starts it.
  void Warn(std::string_view text, PositionRange pos) { Add(true, text, pos); }
  void Info(std::string_view text, PositionRange pos) { Add(false, text, pos); }

  void InvalidQuantile(double q, PositionRange pos);
  void BadBucketLabel(std::string_view metric, std::string_view le, PositionRange pos);
  void MixedFloatsHistograms(std::string_view metric, PositionRange pos);
  void MixedFloatsHistogramsInAggregation(PositionRange pos);
  void MixedExponentialCustom(std::string_view metric, PositionRange pos);
  void MixedClassicNative(std::string_view metric, PositionRange pos);
  void HistogramIgnoredInAggregation(std::string_view aggregation, PositionRange pos);
  void HistogramIgnoredInMixedRange(std::string_view metric, PositionRange pos);
  void IncompatibleTypes(std::string_view lhs, std::string_view op, std::string_view rhs, PositionRange pos);
  void IncompatibleBucketLayout(std::string_view op, PositionRange pos);
  void ResetCollision(HistogramOperation operation, PositionRange pos);
  void BoundsReconciled(HistogramOperation operation, PositionRange pos);
  void NativeNotCounter(std::string_view metric, PositionRange pos);
  void NativeNotGauge(std::string_view metric, PositionRange pos);
  void QuantileIsNaN(std::string_view metric, PositionRange pos);
  void QuantileSkewedByNaN(std::string_view metric, PositionRange pos);
  void FractionWithoutNaN(std::string_view metric, PositionRange pos);
  void PossibleNonCounter(std::string_view metric, PositionRange pos);
  void PossibleNonCounterLabel(std::string_view metric, std::string_view type, PositionRange pos);
  void NonMonotonicBuckets(std::string_view metric, const ForcedMonotonicity& found, PositionRange pos);
  void StartTimeOverlap(std::string_view metric, PositionRange pos);

  // Of the storage: plain texts.
  void Add(const Annotations& plain);
  void Merge(const AnnotationSet& other);
  bool empty() const { return entries_.empty() && plain_.empty(); }

  // With " (line:col)" of each place in `query`.
  Annotations Render(std::string_view query) const;

 private:
  enum class Detail : uint8_t { kNone, kMonotonicity, kOverlap };
  struct Entry {
    bool warning = false;
    PositionRange pos;
    Detail detail = Detail::kNone;
    ForcedMonotonicity monotonicity;  // `count` serves kOverlap too
  };
  void Add(bool warning, std::string_view text, PositionRange pos);
  void Insert(std::string text, const Entry& entry);

  std::map<std::string, Entry, std::less<>> entries_;
  Annotations plain_;
};

// "line:col", both from 1; col counts bytes.
std::string LineAndColumn(std::string_view query, int offset);
// Go's %g.
std::string FormatG(double v);

}  // namespace gauntlet::promql
