#include "tsdb/block/block_writer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "io/fake_file_system.h"
#include "tsdb/block/block.h"
#include "tsdb/chunkenc/xor.h"

namespace gauntlet::tsdb {
namespace {

constexpr int64_t kMin = std::numeric_limits<int64_t>::min(), kMax = std::numeric_limits<int64_t>::max();

BlockMeta SomeMeta() {
  BlockMeta meta;
  meta.ulid = *Ulid::Parse("01KE71A6NAEME8ZS7DDWKWEQAP");
  meta.maxt_ms = 1000;
  meta.compaction.sources = {meta.ulid};
  return meta;
}

std::string XorChunk(std::initializer_list<int64_t> times) {
  XorAppender appender;
  for (int64_t t : times) appender.Append(t, static_cast<double>(t));
  return appender.Release();
}

Status WriteBlock(io::FileSystem& files) {
  GN_ASSIGN(auto writer, BlockWriter::Create(files, "data", SomeMeta()));
  for (const char* symbol : {"a", "b", "name"}) GN_TRY(writer->AddSymbol(symbol));
  std::string first = XorChunk({0, 10, 20}), second = XorChunk({30, 40});
  for (const char* name : {"a", "b"}) {
    std::vector<BlockChunk> chunks = {{0, 20, {Encoding::kXor, first}}, {30, 40, {Encoding::kXor, second}}};
    GN_TRY(writer->AddSeries(Labels::From({{"name", name}}), chunks));
  }
  Tombstones stones;
  return writer->Finish(stones);
}

TEST(BlockWriting, BlockReadsBack) {
  io::FakeFileSystem files;
  ASSERT_TRUE(files.MakeDirectories("data").ok());
  Status st = WriteBlock(files);
  ASSERT_TRUE(st.ok()) << st.message();
  auto block = Block::Open(files, "data/01KE71A6NAEME8ZS7DDWKWEQAP");
  ASSERT_TRUE(block.ok()) << block.status().message();
  EXPECT_EQ((*block)->meta().stats.samples, 10u);
  EXPECT_EQ((*block)->meta().stats.float_samples, 10u);
  EXPECT_EQ((*block)->meta().stats.series, 2u);
  EXPECT_EQ((*block)->meta().stats.chunks, 4u);
  EXPECT_TRUE(VerifyBlock(**block, Cancel()).ok());
  auto selected = (*block)->Select(Matchers{Matcher::Equal("name", "b")}, Cancel());
  BlockSeries series(**block, std::move(*selected), 15, 35);
  ASSERT_TRUE(*series.Next());
  EXPECT_EQ(series.labels().ToString(), R"({name="b"})");
  Samples samples;
  ASSERT_TRUE(ReadSamples(**block, series.chunks(), {}, 15, 35, &samples).ok());
  EXPECT_EQ(samples.times_ms, (std::vector<int64_t>{20, 30}));
  EXPECT_FALSE(*series.Next());
}

TEST(BlockWriting, ABlockIsThereAsAWholeOrNotAtAll) {
  // The power fails at each call in turn.
  for (int64_t call = 1;; ++call) {
    io::FakeFileSystem files;
    ASSERT_TRUE(files.MakeDirectories("data").ok());
    ASSERT_TRUE(files.SyncDirectory("data").ok() && files.SyncDirectory("").ok());
    int64_t before = files.calls();
    files.FailCall(call, Status(Code::kUnavailable, "power"), true);
    Status st = WriteBlock(files);
    bool failed = files.calls() - before >= call;
    files.FailNone();
    files.Crash();
    auto list = files.List("data");
    ASSERT_TRUE(list.ok()) << list.status().message();
    size_t blocks = 0;
    for (const auto& entry : *list) {
      if (entry.name.ends_with(kTemporaryBlockSuffix)) continue;
      ++blocks;
      auto block = Block::Open(files, "data/" + entry.name);
      ASSERT_TRUE(block.ok()) << "call " << call << ": " << block.status().message();
      EXPECT_TRUE(VerifyBlock(**block, Cancel()).ok()) << "call " << call;
    }
    if (!failed) {
      EXPECT_TRUE(st.ok());
      EXPECT_EQ(blocks, 1u);
      break;
    }
    EXPECT_FALSE(st.ok()) << "call " << call;
  }
}

TEST(BlockWriting, AnAbandonedWriterLeavesNothing) {
  io::FakeFileSystem files;
  ASSERT_TRUE(files.MakeDirectories("data").ok());
  {
    auto writer = BlockWriter::Create(files, "data", SomeMeta());
    ASSERT_TRUE((*writer)->AddSymbol("a").ok());
  }
  EXPECT_TRUE(files.List("data")->empty());
}

TEST(BlockWriting, DeletedSamplesAndChunksAreNotRead) {
  io::FakeFileSystem files;
  ASSERT_TRUE(files.MakeDirectories("data").ok());
  ASSERT_TRUE(WriteBlock(files).ok());
  std::string dir = "data/01KE71A6NAEME8ZS7DDWKWEQAP";
  auto before = Block::Open(files, dir);
  auto ids = (*before)->index().AllPostings();
  Tombstones stones;
  stones.Add((*ids)[0], {10, 35});
  stones.Add((*ids)[1], {kMin, kMax});
  ASSERT_TRUE(files.WriteAtomically(dir + "/tombstones", stones.Format()).ok());
  auto block = Block::Open(files, dir);
  ASSERT_TRUE(block.ok());
  BlockSeries series(**block, *(*block)->Select({}, Cancel()), kMin, kMax);
  ASSERT_TRUE(*series.Next());
  Samples samples;
  ASSERT_TRUE(ReadSamples(**block, series.chunks(), series.deleted(), kMin, kMax, &samples).ok());
  EXPECT_EQ(samples.times_ms, (std::vector<int64_t>{0, 40}));
  EXPECT_FALSE(*series.Next());
}

TEST(BlockReading, ChunksOutOfOrderLoseNoSample) {
  io::FakeFileSystem files;
  ASSERT_TRUE(files.MakeDirectories("data").ok());
  ASSERT_TRUE(WriteBlock(files).ok());
  auto block = Block::Open(files, "data/01KE71A6NAEME8ZS7DDWKWEQAP");
  ASSERT_TRUE(block.ok());
  BlockSeries series(**block, *(*block)->Select({}, Cancel()), kMin, kMax);
  ASSERT_TRUE(*series.Next());
  std::vector<ChunkMeta> chunks(series.chunks().begin(), series.chunks().end());
  ASSERT_GE(chunks.size(), 2u);
  Samples whole, turned;
  ASSERT_TRUE(ReadSamples(**block, chunks, {}, kMin, kMax, &whole).ok());
  std::swap(chunks.front(), chunks.back());
  ASSERT_TRUE(ReadSamples(**block, chunks, {}, kMin, kMax, &turned).ok());
  std::sort(turned.times_ms.begin(), turned.times_ms.end());
  EXPECT_EQ(turned.times_ms, whole.times_ms);
}

TEST(BlockOpening, MissingPartsAreErrorsAndMissingTombstonesAreNone) {
  io::FakeFileSystem files;
  ASSERT_TRUE(files.MakeDirectories("data").ok());
  ASSERT_TRUE(WriteBlock(files).ok());
  std::string dir = "data/01KE71A6NAEME8ZS7DDWKWEQAP";
  ASSERT_TRUE(files.RemoveFile(dir + "/tombstones").ok());
  EXPECT_TRUE(Block::Open(files, dir).ok());
  ASSERT_TRUE(files.RemoveAll(dir + "/chunks").ok());
  EXPECT_FALSE(Block::Open(files, dir).ok());
}

TEST(BlockVerification, FindsWhatIsWrong) {
  io::FakeFileSystem files;
  ASSERT_TRUE(files.MakeDirectories("data").ok());
  ASSERT_TRUE(WriteBlock(files).ok());
  std::string dir = "data/01KE71A6NAEME8ZS7DDWKWEQAP", segment = dir + "/chunks/000001";
  std::string chunks = *files.ReadFile(segment);
  chunks[20] ^= 1;
  ASSERT_TRUE(files.WriteAtomically(segment, chunks).ok());
  Status st = VerifyBlock(**Block::Open(files, dir), Cancel());
  EXPECT_NE(st.message().find("checksum"), std::string_view::npos) << st.message();
  chunks[20] ^= 1;
  ASSERT_TRUE(files.WriteAtomically(segment, chunks).ok());
  std::string meta = *files.ReadFile(dir + "/meta.json");
  meta.replace(meta.find("\"numSamples\": 10"), 16, "\"numSamples\": 11");
  ASSERT_TRUE(files.WriteAtomically(dir + "/meta.json", meta).ok());
  st = VerifyBlock(**Block::Open(files, dir), Cancel());
  EXPECT_EQ(st.message(), "meta.json says 11 samples, there are 10");
}

}  // namespace
}  // namespace gauntlet::tsdb
