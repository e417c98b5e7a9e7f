#include "promql/exec/aggregate/group_histograms.h"

#include <memory>
#include <utility>

namespace gauntlet::promql {

size_t GroupHistograms::Add(const Row& row, PositionRange pos, AnnotationSet* annotations) {
  const Column& column = row.column;
  size_t bytes = 0;
  if (steps_.empty()) {
    steps_.resize(column.steps());
    bytes = steps_.size() * sizeof(steps_[0]);
  }
  ForEachBit(column.present(), column.words(), [&](uint32_t i) {
    if (steps_[i] == nullptr || !steps_[i]->incompatible) floats_[i / 64] |= uint64_t{1} << (i % 64);
  });
  bool bounds_reconciled = false;
  for (const HistogramPoint& p : column.histograms()) {
    const bool first = steps_[p.step] == nullptr;
    if (first) steps_[p.step] = std::make_unique<Step>();
    Step& step = *steps_[p.step];
    if (first) {
      bytes += sizeof(Step);
      if (HasFloat(p.step)) continue;
      step.total.emplace(*p.histogram, average_);
      bytes += 2 * p.histogram->memory_bytes();
    } else if (step.total && !step.incompatible) {
      const bool before = step.total->bounds_reconciled();
      if (!step.total->Add(*p.histogram)) {
        step.incompatible = true;
        annotations->MixedExponentialCustom(row.labels.Get(kMetricName), pos);
      }
      bounds_reconciled = bounds_reconciled || (!before && step.total->bounds_reconciled());
    }
  }
  if (bounds_reconciled) annotations->BoundsReconciled(HistogramOperation::kAggregation, pos);
  return bytes;
}

void GroupHistograms::Finish(PositionRange pos, Column* out, AnnotationSet* annotations) {
  bool mixed = false, collision = false;
  for (uint32_t i = 0; i < steps_.size(); ++i) {
    if (steps_[i] == nullptr) continue;
    Step& step = *steps_[i];
    const bool has_float = HasFloat(i);
    mixed = mixed || has_float;
    out->Clear(i);
    if (has_float || step.incompatible || !step.total) continue;
    collision = collision || step.total->reset_collision();
    Histogram h = (*std::move(step.total)).Finish();
    CompactHistogram(h);
    out->histograms().push_back({i, std::make_shared<const Histogram>(std::move(h))});
  }
  steps_.clear();
  if (mixed) annotations->MixedFloatsHistogramsInAggregation(pos);
  if (collision) annotations->ResetCollision(HistogramOperation::kAggregation, pos);
}

}  // namespace gauntlet::promql
