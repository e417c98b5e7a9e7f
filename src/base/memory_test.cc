#include "base/memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <iterator>

namespace gauntlet {
namespace {

TEST(AllocatorStats, CountWhatIsAllocatedAndFreed) {
  auto before = ReadAllocatorStats();
  if (!before) GTEST_SKIP() << "built without jemalloc";
  constexpr size_t kBytes = 64 << 20;
  auto block = std::make_unique<std::string>(kBytes, 'x');
  auto during = ReadAllocatorStats();
  EXPECT_GE(during->allocated_bytes, before->allocated_bytes + kBytes);
  EXPECT_GE(during->allocated_total_bytes, before->allocated_total_bytes + kBytes);
  EXPECT_GE(during->active_bytes, during->allocated_bytes);
  EXPECT_GE(during->resident_bytes, kBytes);
  block.reset();
  auto after = ReadAllocatorStats();
  EXPECT_LT(after->allocated_bytes, during->allocated_bytes - kBytes / 2);
  EXPECT_GE(after->allocated_total_bytes, during->allocated_total_bytes);
}

TEST(HeapProfile, DumpsSampledStacks) {
  if (!HeapProfileActive()) {
    EXPECT_EQ(DumpHeapProfile("/nowhere").code(), Code::kUnsupported);
    GTEST_SKIP() << "built without jemalloc, or profiling is off";
  }
  std::string block(64 << 20, 'x');
  std::string path = testing::TempDir() + "/memory_test.heap";
  ASSERT_TRUE(DumpHeapProfile(path).ok());
  std::ifstream file(path);
  std::string text((std::istreambuf_iterator<char>(file)), {});
  std::remove(path.c_str());
  EXPECT_THAT(text, testing::StartsWith("heap_v2/1048576"));
  EXPECT_THAT(text, testing::HasSubstr("\n@ 0x"));
  EXPECT_EQ(DumpHeapProfile("/nonexistent/x").code(), Code::kUnavailable);
}

}  // namespace
}  // namespace gauntlet
