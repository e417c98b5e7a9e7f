#include "compactor/downsampling.h"

#include <gtest/gtest.h>

#include "blocks/testing/block_fixture.h"

namespace gauntlet::compactor {
namespace {

using blocks::TestUlid;

class DueDownsamplingTest : public testing::Test {
 protected:
  void Add(uint8_t n, int64_t hours, int64_t resolution_ms, const std::vector<uint8_t>& sources) {
    auto meta = std::make_shared<blocks::Meta>(blocks::TestMeta(TestUlid(n), 0, hours * kOneHourMs));
    meta->thanos.resolution_ms = resolution_ms;
    meta->block.compaction.sources.clear();
    for (uint8_t source : sources) meta->block.compaction.sources.push_back(TestUlid(source));
    metas_[meta->block.ulid] = meta;
  }
  std::vector<std::pair<int, int64_t>> Due() {
    std::vector<std::pair<int, int64_t>> due;
    for (const DownsampleTask& task : DueDownsampling(metas_))
      due.emplace_back(task.block->block.ulid.bytes[15], task.resolution_ms);
    return due;
  }
  blocks::MetaMap metas_;
  using Tasks = std::vector<std::pair<int, int64_t>>;
};

TEST_F(DueDownsamplingTest, LongBlocksThatAreNotRepresentedYet) {
  Add(1, 39, 0, {11});
  Add(2, 40, 0, {12});
  Add(3, 48, 0, {13, 14});
  Add(4, 48, kFiveMinutesMs, {13});  // not all of 3
  Add(5, 240, kFiveMinutesMs, {15});
  Add(6, 239, kFiveMinutesMs, {16});
  Add(7, 1000, kOneHourMs, {17});
  EXPECT_EQ(Due(), (Tasks{{2, kFiveMinutesMs}, {3, kFiveMinutesMs}, {5, kOneHourMs}}));
}

TEST_F(DueDownsamplingTest, WhatIsRepresentedIsDone) {
  Add(1, 40, 0, {11});
  Add(2, 40, 0, {12});
  Add(3, 240, kFiveMinutesMs, {11, 12, 13});
  Add(4, 240, kOneHourMs, {11, 12, 13});
  EXPECT_EQ(Due(), Tasks());
}

}  // namespace
}  // namespace gauntlet::compactor
