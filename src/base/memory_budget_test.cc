#include "base/memory_budget.h"

#include <gtest/gtest.h>

namespace gauntlet {
namespace {

TEST(MemoryBudget, RefusalNamesTheOperatorAndChargesNothing) {
  MemoryBudget query("query", 100);
  MemoryCharge a(&query, "topk for up"), b(&query, "sum for up");
  ASSERT_TRUE(a.Grow(80).ok());
  Status st = b.Grow(30);
  EXPECT_EQ(st.code(), Code::kExhausted);
  EXPECT_EQ(st.message(), "query used 110 of 100 bytes in sum for up");
  EXPECT_EQ(query.used_bytes(), 80u);
  a.Clear();
  EXPECT_TRUE(b.Grow(30).ok());
  EXPECT_EQ(query.peak_bytes(), 80u);
}

TEST(MemoryBudget, ParentLimitCountsAllChildren) {
  MemoryBudget process("process", 100);
  MemoryBudget one("query", 0, &process), two("query", 0, &process);
  MemoryCharge a(&one, "x"), b(&two, "y");
  ASSERT_TRUE(a.Set(70).ok());
  EXPECT_EQ(b.Set(31).message(), "process used 101 of 100 bytes in y");
  ASSERT_TRUE(a.Set(10).ok());
  EXPECT_TRUE(b.Set(31).ok());
  EXPECT_EQ(process.used_bytes(), 41u);
}

}  // namespace
}  // namespace gauntlet
