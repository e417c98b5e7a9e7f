// SeriesPair: what comes of two series that match, at all steps where both have something.
//
// One of them is of the side that may match many ("many"), the other of the side that may not ("one"); a null column
// stands for a fill value. Which of the two is the operator's left side is said once.
//
// Upstream: prometheus promql/engine.go (vectorElemBinop)
// Threads:  one thread at a time.

#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "promql/exec/binary/binary_histograms.h"
#include "promql/exec/rows/annotation_set.h"
#include "promql/exec/rows/context.h"
#include "promql/exec/rows/row.h"
#include "promql/plan/node.h"

namespace gauntlet::promql {

// One bit a step, as Column::present().
using StepBits = std::vector<uint64_t>;

class SeriesPair {
 public:
  // `swapped`: the left side is the "one" side. `context` and `node` are borrowed.
  SeriesPair(const ExecContext& context, const BinaryNode& node, bool swapped)
      : context_(context), node_(node), swapped_(swapped), words_(Column::WordCount(node.grid.steps)) {}

  // The steps of `both` at which nothing comes of the pair but a note.
  StepBits Faults(const Column& many, const Column* one, const StepBits& both) const;

  // The results at the steps `both`, which become those that matched. An error when the query is over.
  Result<Column> Combine(const Column* many, const Column* one, double fill, StepBits* both);

  // What was to be said of all pairs so far: of one step only the last note, as upstream.
  void TellNotes(AnnotationSet* out) const;

 private:
  struct StepNote {
    BinaryNote note = BinaryNote::kNone;
    bool lhs = false, rhs = false;  // is a histogram
    bool operator==(const StepNote&) const = default;
  };

  // The steps at which one of the two is a histogram. They go from `floats`, and from `both` where nothing comes of
  // them. Comparisons with `bool` give verdicts, the others histograms.
  void CombineHistograms(const Column* many, const Column* one, double fill, StepBits* both, StepBits* floats,
                         Column* out, std::vector<std::pair<uint32_t, bool>>* verdicts);
  void Note(uint32_t step, BinaryNote note, bool lhs, bool rhs);
  bool IsTrim() const { return node_.op == BinaryOp::kTrimLower || node_.op == BinaryOp::kTrimUpper; }

  const ExecContext& context_;
  const BinaryNode& node_;
  const bool swapped_;
  const uint32_t words_;
  std::vector<double> fill_;
  std::vector<StepNote> notes_;  // by step; empty when there are none
};

}  // namespace gauntlet::promql
