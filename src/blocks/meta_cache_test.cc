#include "blocks/meta_cache.h"

#include <gtest/gtest.h>

#include "io/fake_file_system.h"

namespace gauntlet::blocks {
namespace {

constexpr char kPath[] = "/data/meta-syncer/metas";

Ulid Id(uint8_t n) {
  Ulid id;
  id.bytes[15] = n;
  return id;
}

class MetaCacheTest : public testing::Test {
 protected:
  std::string Text(uint8_t n) { return "{\"meta\": " + std::string(n, 'x') + "}"; }
  void Fill(uint8_t count) {
    MetaCache cache(files_, kPath, telemetry::Logger::Discard());
    cache.Load();
    for (uint8_t n = 1; n <= count; ++n) cache.Put({Id(n), 1000 + n, Text(n)});
    cache.Finish([](const Ulid&) { return true; });
  }
  // How many of the first `count` are there; a wrong one fails.
  int Found(uint8_t count) {
    MetaCache cache(files_, kPath, telemetry::Logger::Discard());
    cache.Load();
    int found = 0;
    for (uint8_t n = 1; n <= count; ++n) {
      auto text = cache.Find(Id(n), 1000 + n);
      if (!text.has_value()) continue;
      EXPECT_EQ(*text, Text(n));
      ++found;
    }
    return found;
  }

  io::FakeFileSystem files_;
};

TEST_F(MetaCacheTest, WhatWasPutIsThereAfterAStart) {
  EXPECT_EQ(Found(5), 0);
  Fill(5);
  EXPECT_EQ(Found(6), 5);
}

TEST_F(MetaCacheTest, AnotherModificationTimeIsAnotherMeta) {
  Fill(1);
  MetaCache cache(files_, kPath, telemetry::Logger::Discard());
  cache.Load();
  EXPECT_FALSE(cache.Find(Id(1), 77).has_value());
  EXPECT_EQ(cache.Find(Id(1), 0), Text(1));  // a listing that tells no times
}

TEST_F(MetaCacheTest, GoneBlocksAreForgotten) {
  Fill(4);
  {
    MetaCache cache(files_, kPath, telemetry::Logger::Discard());
    cache.Load();
    cache.Finish([](const Ulid& id) { return id != Id(2); });
  }
  MetaCache cache(files_, kPath, telemetry::Logger::Discard());
  cache.Load();
  EXPECT_FALSE(cache.Find(Id(2), 0).has_value());
  EXPECT_EQ(Found(4), 3);
}

TEST_F(MetaCacheTest, TheLastRecordOfABlockCounts) {
  Fill(2);
  {
    MetaCache cache(files_, kPath, telemetry::Logger::Discard());
    cache.Load();
    cache.Put({Id(1), 5000, "changed"});
    cache.Finish([](const Ulid&) { return true; });
  }
  MetaCache cache(files_, kPath, telemetry::Logger::Discard());
  cache.Load();
  EXPECT_EQ(cache.Find(Id(1), 5000), "changed");
  EXPECT_EQ(cache.Find(Id(2), 1002), Text(2));
}

TEST_F(MetaCacheTest, SupersededRecordsDoNotPileUp) {
  const std::string large(300'000, 'm');
  MetaCache cache(files_, kPath, telemetry::Logger::Discard());
  cache.Load();
  for (int round = 1; round <= 40; ++round) {
    cache.Put({Id(1), round, large});
    cache.Finish([](const Ulid&) { return true; });
  }
  EXPECT_LT(files_.Stat(kPath)->bytes, 3'000'000u);
  MetaCache again(files_, kPath, telemetry::Logger::Discard());
  again.Load();
  EXPECT_EQ(again.Find(Id(1), 40), large);
}

TEST_F(MetaCacheTest, OfACutFileTheWholeRecordsAreReadAndTheRestIsPutAgain) {
  Fill(4);
  const std::string whole = *files_.ReadFile(kPath);
  for (size_t cut = 0; cut <= whole.size(); ++cut) {
    ASSERT_TRUE(files_.WriteAtomically(kPath, std::string_view(whole).substr(0, cut)).ok());
    MetaRecordReader reader(std::string_view(whole).substr(0, cut));
    int records = 0;
    while (reader.Next()) ++records;
    ASSERT_EQ(Found(4), records) << cut;
    ASSERT_EQ(records == 4, cut == whole.size());
    Fill(4);
    ASSERT_EQ(Found(4), 4) << cut;
  }
}

TEST_F(MetaCacheTest, AFlippedBitLosesRecordsAndChangesNone) {
  Fill(3);
  const std::string whole = *files_.ReadFile(kPath);
  for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_TRUE(files_.WriteAtomically(kPath, damaged).ok());
    ASSERT_LT(Found(3), 3) << bit;
  }
}

TEST_F(MetaCacheTest, APowerCutLosesOnlyWhatIsFetchedAgain) {
  Fill(3);
  {
    MetaCache cache(files_, kPath, telemetry::Logger::Discard());
    cache.Load();
    cache.Put({Id(4), 1004, Text(4)});
    cache.Finish([](const Ulid&) { return true; });
  }
  files_.Crash();
  EXPECT_LE(Found(4), 4);
  Fill(4);
  EXPECT_EQ(Found(4), 4);
}

TEST_F(MetaCacheTest, WhicheverCallFailsWhatIsReadIsRight) {
  for (int64_t n = 1; n < 30; ++n) {
    ASSERT_TRUE(files_.RemoveAll("/data").ok());
    files_.FailCall(n, Status(Code::kUnavailable, "disk"));
    Fill(2);
    files_.FailNone();
    Found(2);  // wrong texts fail
    Fill(3);
    ASSERT_EQ(Found(3), 3) << n;
  }
}

}  // namespace
}  // namespace gauntlet::blocks
