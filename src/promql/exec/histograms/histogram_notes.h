// HistogramNotes: what a range function has to say about the histograms of a series, each once however many of its
// windows say it.
//
// Threads: a value.

#pragma once

#include "model/histogram_arithmetic.h"
#include "model/labels.h"
#include "promql/exec/rows/annotation_set.h"

namespace gauntlet::promql {

struct HistogramNotes {
  bool mixed_types = false, mixed_buckets = false, not_counter = false, not_gauge = false;
  bool subtraction_bounds = false, addition_bounds = false, aggregation_bounds = false, collision = false;

  // Adds or subtracts, and notes what happened. False when the buckets do not fit together.
  bool Add(Histogram& h, const Histogram& other) {
    const HistogramMeeting meeting = AddHistogram(h, other);
    addition_bounds |= meeting.bounds_reconciled;
    mixed_buckets |= !meeting.compatible;
    return meeting.compatible;
  }
  bool Subtract(Histogram& h, const Histogram& other) {
    const HistogramMeeting meeting = SubtractHistogram(h, other);
    subtraction_bounds |= meeting.bounds_reconciled;
    mixed_buckets |= !meeting.compatible;
    return meeting.compatible;
  }

  void Merge(const HistogramNotes& other);
  void Tell(LabelsView labels, PositionRange pos, AnnotationSet* out) const;
};

}  // namespace gauntlet::promql
