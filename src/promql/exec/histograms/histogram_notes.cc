#include "promql/exec/histograms/histogram_notes.h"

namespace gauntlet::promql {

void HistogramNotes::Merge(const HistogramNotes& other) {
  mixed_types |= other.mixed_types;
  mixed_buckets |= other.mixed_buckets;
  not_counter |= other.not_counter;
  not_gauge |= other.not_gauge;
  subtraction_bounds |= other.subtraction_bounds;
  addition_bounds |= other.addition_bounds;
  aggregation_bounds |= other.aggregation_bounds;
  collision |= other.collision;
}

void HistogramNotes::Tell(LabelsView labels, PositionRange pos, AnnotationSet* out) const {
  const std::string_view metric = labels.Get(kMetricName);
  if (mixed_types) out->MixedFloatsHistograms(metric, pos);
  if (mixed_buckets) out->MixedExponentialCustom(metric, pos);
  if (not_counter) out->NativeNotCounter(metric, pos);
  if (not_gauge) out->NativeNotGauge(metric, pos);
  if (subtraction_bounds) out->BoundsReconciled(HistogramOperation::kSubtraction, pos);
  if (addition_bounds) out->BoundsReconciled(HistogramOperation::kAddition, pos);
  if (aggregation_bounds) out->BoundsReconciled(HistogramOperation::kAggregation, pos);
  if (collision) out->ResetCollision(HistogramOperation::kAggregation, pos);
}

}  // namespace gauntlet::promql
