#include "promql/exec/binary/binary_histograms.h"

#include <utility>

#include "model/histogram_arithmetic.h"

namespace gauntlet::promql {
namespace {

bool IsSum(BinaryOp op) { return op == BinaryOp::kAdd || op == BinaryOp::kSub; }

bool TypesFit(BinaryOp op, bool lhs, bool rhs) {
  switch (op) {
    case BinaryOp::kAdd:
    case BinaryOp::kSub:
    case BinaryOp::kEqual:
    case BinaryOp::kNotEqual:
      return lhs && rhs;
    case BinaryOp::kMul:
      return lhs != rhs;
    case BinaryOp::kDiv:
    case BinaryOp::kTrimLower:
    case BinaryOp::kTrimUpper:
      return lhs && !rhs;
    default:
      return false;
  }
}

// Hints of which one contradicts the other.
bool Collide(ResetHint a, ResetHint b) {
  return (a == ResetHint::kReset && b == ResetHint::kNotReset) || (a == ResetHint::kNotReset && b == ResetHint::kReset);
}

}  // namespace

BinaryNote PairFault(BinaryOp op, const Histogram* lhs, const Histogram* rhs) {
  if (!TypesFit(op, lhs != nullptr, rhs != nullptr)) return BinaryNote::kIncompatibleTypes;
  if (!IsSum(op)) return BinaryNote::kNone;
  if (lhs->uses_custom_buckets() != rhs->uses_custom_buckets()) return BinaryNote::kIncompatibleBuckets;
  return Collide(lhs->reset_hint, rhs->reset_hint) ? BinaryNote::kResetCollision : BinaryNote::kNone;
}

HistogramPair CombineHistograms(BinaryOp op, const Operand& lhs, const Operand& rhs) {
  HistogramPair out;
  out.note = PairFault(op, lhs.histogram.get(), rhs.histogram.get());
  if (out.note != BinaryNote::kNone) return out;
  if (op == BinaryOp::kEqual || op == BinaryOp::kNotEqual) {
    out.holds = SameHistogram(*lhs.histogram, *rhs.histogram) == (op == BinaryOp::kEqual);
    out.histogram = lhs.histogram;
    return out;
  }
  const bool histogram_first = lhs.histogram != nullptr;
  Histogram h = histogram_first ? *lhs.histogram : *rhs.histogram;
  switch (op) {
    case BinaryOp::kAdd:
      if (AddHistogram(h, *rhs.histogram).bounds_reconciled) out.note = BinaryNote::kBoundsReconciled;
      break;
    case BinaryOp::kSub:
      if (SubtractHistogram(h, *rhs.histogram).bounds_reconciled) out.note = BinaryNote::kBoundsReconciled;
      h.reset_hint = ResetHint::kGauge;
      break;
    case BinaryOp::kMul:
      MultiplyHistogram(h, histogram_first ? rhs.value : lhs.value);
      break;
    case BinaryOp::kDiv:
      DivideHistogram(h, rhs.value);
      break;
    default:
      TrimHistogram(h, rhs.value, op == BinaryOp::kTrimUpper ? TrimSide::kAbove : TrimSide::kBelow);
  }
  const bool trim = op == BinaryOp::kTrimLower || op == BinaryOp::kTrimUpper;
  if (!trim) CompactHistogram(h);
  out.histogram = std::make_shared<const Histogram>(std::move(h));
  return out;
}

void TellNote(BinaryNote note, BinaryOp op, bool lhs, bool rhs, PositionRange pos, AnnotationSet* out) {
  const HistogramOperation operation =
      op == BinaryOp::kAdd ? HistogramOperation::kAddition : HistogramOperation::kSubtraction;
  switch (note) {
    case BinaryNote::kNone:
      return;
    case BinaryNote::kIncompatibleTypes:
      return out->IncompatibleTypes(lhs ? "histogram" : "float", BinaryOpText(op), rhs ? "histogram" : "float", pos);
    case BinaryNote::kIncompatibleBuckets:
      return out->IncompatibleBucketLayout(BinaryOpText(op), pos);
    case BinaryNote::kResetCollision:
      return out->ResetCollision(operation, pos);
    case BinaryNote::kBoundsReconciled:
      return out->BoundsReconciled(operation, pos);
  }
}

}  // namespace gauntlet::promql
