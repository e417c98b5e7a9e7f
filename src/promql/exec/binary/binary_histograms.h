// Binary operators of native histograms, one pair at a time.
//
// Upstream: prometheus promql/engine.go (vectorElemBinop)
// Threads:  functions.

#pragma once

#include <cstdint>
#include <memory>

#include "model/histogram.h"
#include "promql/exec/rows/annotation_set.h"
#include "promql/syntax/ast.h"

namespace gauntlet::promql {

// One side of a pair: a histogram, or a float where that is null.
struct Operand {
  double value = 0;
  std::shared_ptr<const Histogram> histogram;
};

// Why a pair has no result, or what else is to be said about it.
enum class BinaryNote : uint8_t {
  kNone,
  kIncompatibleTypes,
  kIncompatibleBuckets,
  kResetCollision,
  kBoundsReconciled,  // this one has a result
};

struct HistogramPair {
  BinaryNote note = BinaryNote::kNone;
  bool holds = true;                           // of a comparison
  std::shared_ptr<const Histogram> histogram;  // of the others, and the left side of a comparison
};

// REQUIRES: at least one histogram.
HistogramPair CombineHistograms(BinaryOp op, const Operand& lhs, const Operand& rhs);
// What CombineHistograms would have to say about the pair that ends it, without the work: kNone when it has a result.
BinaryNote PairFault(BinaryOp op, const Histogram* lhs, const Histogram* rhs);
// `lhs` and `rhs`: whether that side is a histogram.
void TellNote(BinaryNote note, BinaryOp op, bool lhs, bool rhs, PositionRange pos, AnnotationSet* out);

}  // namespace gauntlet::promql
