#include "blocks/parquet_filter.h"

#include <gtest/gtest.h>

#include "blocks/testing/block_fixture.h"
#include "objstore/memory_bucket.h"

namespace gauntlet::blocks {
namespace {

constexpr int64_t kHour = 3'600'000, kDay = 24 * kHour;

// Field 6 of a meta.pb, among others.
std::string ParquetMeta(const std::vector<Ulid>& sources) {
  std::string bytes("\x08\x01\x12\x03xyz", 7);
  for (const Ulid& id : sources) bytes += std::string("\x32\x1a") + id.ToString();
  return bytes;
}

class ParquetFilterTest : public testing::Test {
 protected:
  ParquetFilterTest() {
    auto bucket = std::make_unique<objstore::MemoryBucket>(clock_);
    bucket_ = bucket.get();
    filter_ = std::make_unique<ParquetFilter>(std::move(bucket), pool_, 4);
  }
  void Converted(const std::string& name, const std::vector<Ulid>& sources) {
    ASSERT_TRUE(objstore::WriteObject(*bucket_, name + "/meta.pb", ParquetMeta(sources), Cancel()).ok());
  }
  void Add(uint8_t n, int64_t mint, int64_t maxt) {
    metas_[TestUlid(n)] = std::make_shared<const Meta>(TestMeta(TestUlid(n), mint, maxt));
  }
  // The blocks that stay, by their numbers.
  std::vector<int> Filter() {
    MetaMap metas = metas_;
    StateCounts modified;
    synced_.clear();
    status_ = filter_->Filter({}, Cancel(), &metas, &synced_, &modified);
    std::vector<int> kept;
    for (uint8_t n = 0; n < 20; ++n) {
      if (metas.contains(TestUlid(n))) kept.push_back(n);
    }
    return kept;
  }

  SimulatedClock clock_{1'767'607'872'123};
  ThreadPool pool_{"test", 4};
  objstore::MemoryBucket* bucket_;
  std::unique_ptr<ParquetFilter> filter_;
  MetaMap metas_;
  StateCounts synced_;
  Status status_;
};

using Kept = std::vector<int>;

TEST_F(ParquetFilterTest, ConvertedBlocksGoWhereTheyCoverWholeDays) {
  Add(1, 10 * kDay, 10 * kDay + 12 * kHour);
  Add(2, 10 * kDay + 12 * kHour, 11 * kDay);
  Add(3, 11 * kDay, 11 * kDay + 20 * kHour);  // a day that ends too early
  Add(4, 12 * kDay, 13 * kDay);               // not converted
  Add(5, 14 * kDay + kHour, 15 * kDay);       // a day that begins too late
  Add(6, 20 * kDay, 22 * kDay);
  EXPECT_EQ(Filter(), (Kept{1, 2, 3, 4, 5, 6}));
  Converted("a", {TestUlid(1), TestUlid(2), TestUlid(9)});
  Converted("deep/b", {TestUlid(3), TestUlid(5), TestUlid(6)});
  EXPECT_EQ(Filter(), (Kept{3, 4, 5}));
  EXPECT_EQ(synced_["parquet-converted"], 3);
}

TEST_F(ParquetFilterTest, AGapKeepsAllBlocksOfItsDay) {
  Add(1, 10 * kDay, 10 * kDay + 8 * kHour);
  Add(2, 10 * kDay + 9 * kHour, 11 * kDay);
  Add(3, 11 * kDay, 12 * kDay);
  Converted("a", {TestUlid(1), TestUlid(2), TestUlid(3)});
  EXPECT_EQ(Filter(), (Kept{1, 2}));
}

TEST_F(ParquetFilterTest, MetasAreReadAgainOnlyWhenTheyChanged) {
  Add(1, 10 * kDay, 11 * kDay);
  Add(2, 11 * kDay, 12 * kDay);
  Converted("a", {TestUlid(1)});
  EXPECT_EQ(Filter(), Kept{2});
  EXPECT_EQ(Filter(), Kept{2});
  EXPECT_EQ(bucket_->calls().at("get"), 1);
  clock_.Advance(std::chrono::minutes(1));
  Converted("a", {TestUlid(2)});
  EXPECT_EQ(Filter(), Kept{1});
}

TEST_F(ParquetFilterTest, WhatCannotBeReadIsAnErrorAndDropsNothing) {
  Add(1, 10 * kDay, 11 * kDay);
  ASSERT_TRUE(objstore::WriteObject(*bucket_, "a/meta.pb", "\x32\x05hello", Cancel()).ok());
  EXPECT_EQ(Filter(), Kept{1});
  EXPECT_EQ(status_.code(), Code::kCorrupt);
  ASSERT_TRUE(bucket_->Delete("a/meta.pb", Cancel()).ok());
  bucket_->SetFault([](std::string_view, const std::string&) { return Status(Code::kUnavailable, "down"); });
  EXPECT_EQ(Filter(), Kept{1});
  EXPECT_EQ(status_.code(), Code::kUnavailable);
}

TEST(ParquetSources, CutBytesAreAnErrorOrAPrefix) {
  const std::string whole = ParquetMeta({TestUlid(1), TestUlid(2)});
  for (size_t cut = 0; cut < whole.size(); ++cut) {
    auto sources = ParseParquetSources(std::string_view(whole).substr(0, cut));
    EXPECT_TRUE(!sources.ok() || sources->size() < 2) << cut;
  }
  EXPECT_EQ(*ParseParquetSources(whole), (std::vector<Ulid>{TestUlid(1), TestUlid(2)}));
}

}  // namespace
}  // namespace gauntlet::blocks
