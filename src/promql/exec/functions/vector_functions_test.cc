#include "promql/exec/functions/vector_functions.h"

#include <gtest/gtest.h>

namespace gauntlet::promql {
namespace {

TEST(NaturalOrder, DigitsAreNumbers) {
  EXPECT_TRUE(NaturalLess("a2", "a10"));
  EXPECT_FALSE(NaturalLess("a10", "a2"));
  EXPECT_TRUE(NaturalLess("a", "a1"));
  EXPECT_TRUE(NaturalLess("a1b", "a1c"));
}

}  // namespace
}  // namespace gauntlet::promql
