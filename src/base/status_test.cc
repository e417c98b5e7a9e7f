#include "base/status.h"

#include <gtest/gtest.h>

#include <memory>

namespace gauntlet {
namespace {

Result<int> Half(int v) {
  if (v % 2) return Status(Code::kInvalid, "odd");
  return v / 2;
}

Result<int> Quarter(int v) {
  GN_ASSIGN(int h, Half(v));
  return Half(h);
}

Result<std::unique_ptr<int>> Own() { return std::make_unique<int>(7); }

Status Use() {
  GN_ASSIGN(auto p, Own());
  return *p == 7 ? Status() : Status(Code::kInternal, "bad");
}

TEST(Status, AssignPassesValuesAndErrorsOn) {
  EXPECT_EQ(*Quarter(8), 2);
  EXPECT_EQ(Quarter(6).status().code(), Code::kInvalid);
  EXPECT_TRUE(Use().ok());
}

TEST(Status, WrapSaysWhatWasBeingDone) {
  Status s(Code::kCorrupt, "crc");
  EXPECT_EQ(s.Wrap("read block").message(), "read block: crc");
  EXPECT_EQ(Status().Wrap("read block").message(), "");
}

}  // namespace
}  // namespace gauntlet
