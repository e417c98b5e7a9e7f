#include "promql/exec/binary/binary_histograms.h"

#include <gtest/gtest.h>

#include <memory>

#include "promql/exec/histograms/testing/histograms.h"

namespace gauntlet::promql {
namespace {

TEST(BinaryHistograms, TypesDecideWhatGoesTogether) {
  const Operand h{0, std::make_shared<Histogram>(Simple(4))}, f{2, nullptr};
  constexpr BinaryNote kTypes = BinaryNote::kIncompatibleTypes, kNone = BinaryNote::kNone;
  struct {
    BinaryOp op;
    BinaryNote histogram_histogram, histogram_float, float_histogram;
  } const cases[] = {
      {BinaryOp::kAdd, kNone, kTypes, kTypes},       {BinaryOp::kSub, kNone, kTypes, kTypes},
      {BinaryOp::kMul, kTypes, kNone, kNone},        {BinaryOp::kDiv, kTypes, kNone, kTypes},
      {BinaryOp::kMod, kTypes, kTypes, kTypes},      {BinaryOp::kPow, kTypes, kTypes, kTypes},
      {BinaryOp::kEqual, kNone, kTypes, kTypes},     {BinaryOp::kNotEqual, kNone, kTypes, kTypes},
      {BinaryOp::kGreater, kTypes, kTypes, kTypes},  {BinaryOp::kTrimLower, kTypes, kNone, kTypes},
      {BinaryOp::kTrimUpper, kTypes, kNone, kTypes},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(BinaryOpText(c.op));
    EXPECT_EQ(CombineHistograms(c.op, h, h).note, c.histogram_histogram);
    EXPECT_EQ(CombineHistograms(c.op, h, f).note, c.histogram_float);
    EXPECT_EQ(CombineHistograms(c.op, f, h).note, c.float_histogram);
  }
  EXPECT_EQ(CombineHistograms(BinaryOp::kSub, h, h).histogram->reset_hint, ResetHint::kGauge);
  EXPECT_TRUE(CombineHistograms(BinaryOp::kSub, h, h).histogram->positive_buckets.empty());
  EXPECT_EQ(CombineHistograms(BinaryOp::kMul, f, h).histogram->count, 8);
  EXPECT_FALSE(CombineHistograms(BinaryOp::kNotEqual, h, h).holds);
}

TEST(BinaryHistograms, CollisionsOfHintsHaveNoResult) {
  const Operand reset{0, std::make_shared<Histogram>(Simple(4, ResetHint::kReset))};
  const Operand not_reset{0, std::make_shared<Histogram>(Simple(4, ResetHint::kNotReset))};
  const Operand custom{0, std::make_shared<Histogram>(Custom({1}, {1, 2}, 3))};
  EXPECT_EQ(CombineHistograms(BinaryOp::kAdd, reset, not_reset).note, BinaryNote::kResetCollision);
  EXPECT_EQ(CombineHistograms(BinaryOp::kAdd, reset, not_reset).histogram, nullptr);
  EXPECT_EQ(CombineHistograms(BinaryOp::kAdd, reset, custom).note, BinaryNote::kIncompatibleBuckets);
  EXPECT_EQ(CombineHistograms(BinaryOp::kEqual, reset, not_reset).note, BinaryNote::kNone);
}

}  // namespace
}  // namespace gauntlet::promql
