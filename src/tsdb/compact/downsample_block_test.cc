#include "tsdb/compact/downsample_block.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "io/fake_file_system.h"
#include "io/file_system.h"
#include "tsdb/block/block.h"
#include "tsdb/chunkenc/aggr_chunk.h"
#include "tsdb/chunkenc/testing/golden_chunks.h"
#include "tsdb/chunkenc/xor.h"

namespace gauntlet::tsdb {
namespace {

constexpr int64_t kFiveMinutesMs = 300'000, kHourMs = 3'600'000;

std::string Folder(const std::string& path) { return GoldenFolder() + "/downsample/" + path; }

Result<std::optional<BlockMeta>> Downsample(io::FileSystem& files, std::shared_ptr<const Block> block, int64_t from_ms,
                                            int64_t to_ms, Executor* executor = nullptr) {
  GN_TRY(files.RemoveAll("data"));
  GN_TRY(files.MakeDirectories("data"));
  BlockMeta meta = block->meta();
  meta.ulid = Ulid();
  GN_ASSIGN(auto sink, LocalBlockSink::Create(files, "data", meta));
  LocalBlockSource source(block);
  DownsampleOptions options;
  options.from_resolution_ms = from_ms;
  options.resolution_ms = to_ms;
  options.executor = executor;
  return DownsampleBlock(source, options, *sink, Cancel());
}

class GoldenDownsampledBlock : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (GoldenFolder().empty()) GTEST_SKIP() << "no shared golden data";
  }
  void ExpectRecorded(const std::string& from, const std::string& to, int64_t from_ms, int64_t to_ms,
                      Executor* executor) {
    auto block = Block::Open(io::RealFileSystem(), Folder(GetParam() + ("/" + from)));
    ASSERT_TRUE(block.ok()) << block.status().message();
    io::FakeFileSystem files;
    auto made = Downsample(files, *block, from_ms, to_ms, executor);
    ASSERT_TRUE(made.ok()) << made.status().message();
    ASSERT_TRUE(made->has_value());
    std::string dir = "data/" + Ulid().ToString(), recorded = Folder(GetParam() + ("/" + to));
    for (const char* name : {"/index", "/chunks/000001"}) {
      auto bytes = files.ReadFile(dir + name);
      EXPECT_TRUE(bytes.ok() && *bytes == *io::RealFileSystem().ReadFile(recorded + name)) << name;
    }
    auto recorded_meta = ParseBlockMeta(*io::RealFileSystem().ReadFile(recorded + "/meta.json"));
    ASSERT_TRUE(recorded_meta.ok());
    BlockMeta written = *ParseBlockMeta(*files.ReadFile(dir + "/meta.json"));
    written.more = recorded_meta->more;  // the thanos section is the caller's
    written.ulid = recorded_meta->ulid;
    EXPECT_EQ(FormatBlockMeta(written), FormatBlockMeta(*recorded_meta));
    auto checked = Block::Open(files, dir);
    ASSERT_TRUE(checked.ok());
    EXPECT_TRUE(VerifyBlock(**checked, Cancel()).ok());
  }
};
INSTANTIATE_TEST_SUITE_P(Cases, GoldenDownsampledBlock,
                         ::testing::Values("floats", "hist-counter-float", "hist-counter-int",
                                           "hist-counter-int-resets", "hist-gauge", "hist-mixed-float",
                                           "hist-mixed-int-float-hist", "hist-nan-sum", "hist-nhcb",
                                           "hist-schema-changes", "hist-schema-flap", "hist-stale"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST_P(GoldenDownsampledBlock, RawToFiveMinutesHasTheRecordedBytes) {
  ExpectRecorded("raw", "5m", 0, kFiveMinutesMs, nullptr);
}

TEST_P(GoldenDownsampledBlock, FiveMinutesToHoursHasTheRecordedBytes) {
  ExpectRecorded("5m", "1h", kFiveMinutesMs, kHourMs, nullptr);
}

TEST_P(GoldenDownsampledBlock, SeriesSideBySideMakeTheSame) {
  ThreadPool pool("test", 3);
  ExpectRecorded("raw", "5m", 0, kFiveMinutesMs, &pool);
}

// A block of one series, its chunks one behind the other.
std::shared_ptr<const Block> MakeBlock(io::FileSystem& files, const std::vector<std::vector<double>>& chunks,
                                       int64_t chunk_ms, const Tombstones& tombstones = {}) {
  EXPECT_TRUE(files.MakeDirectories("source").ok());
  BlockMeta meta;
  meta.ulid = Ulid::Make(1);
  meta.maxt_ms = 10 * kHourMs;
  auto writer = BlockWriter::Create(files, "source", meta);
  EXPECT_TRUE((*writer)->AddSymbol("__name__").ok() && (*writer)->AddSymbol("m").ok());
  std::vector<std::string> bytes;
  std::vector<BlockChunk> list;
  for (size_t c = 0; c < chunks.size(); ++c) {
    XorAppender appender;
    int64_t start = static_cast<int64_t>(c) * chunk_ms;
    for (size_t i = 0; i < chunks[c].size(); ++i)
      appender.Append(start + static_cast<int64_t>(i) * 60'000, chunks[c][i]);
    bytes.push_back(appender.Release());
    list.push_back({start, start + static_cast<int64_t>(chunks[c].size() - 1) * 60'000, {}});
  }
  for (size_t c = 0; c < chunks.size(); ++c) list[c].chunk = {Encoding::kXor, bytes[c]};
  EXPECT_TRUE((*writer)->AddSeries(Labels::From({{"__name__", "m"}}), list).ok());
  EXPECT_TRUE((*writer)->Finish(tombstones).ok());
  auto block = Block::Open(files, "source/" + meta.ulid.ToString());
  EXPECT_TRUE(block.ok()) << block.status().message();
  return *block;
}

// A block whose series come with something wrong.
class BrokenSource : public BlockSource {
 public:
  BrokenSource(std::shared_ptr<const Block> block, std::function<void(SourceSeries*)> damage)
      : inner_(std::move(block)), damage_(std::move(damage)) {}
  const BlockMeta& meta() const override { return inner_.meta(); }
  Result<bool> NextSymbol(const Cancel& cancel, std::string_view* symbol) override {
    return inner_.NextSymbol(cancel, symbol);
  }
  Result<bool> Next(const Cancel& cancel, SourceSeries* out) override {
    GN_ASSIGN(bool more, inner_.Next(cancel, out));
    if (more) damage_(out);
    return more;
  }

 private:
  LocalBlockSource inner_;
  const std::function<void(SourceSeries*)> damage_;
};

void ExpectFault(const std::function<void(SourceSeries*)>& damage, FaultKind kind) {
  io::FakeFileSystem files;
  auto block = MakeBlock(files, {{1, 2, 3, 4}, {5, 6}}, 300'000);
  BrokenSource source(block, damage);
  ASSERT_TRUE(files.MakeDirectories("data").ok());
  {
    BlockMeta meta = block->meta();
    meta.ulid = Ulid();
    auto sink = LocalBlockSink::Create(files, "data", meta);
    BlockFault fault;
    auto made = DownsampleBlock(source, {}, **sink, Cancel(), &fault);
    EXPECT_EQ(made.status().code(), Code::kCorrupt) << made.status().message();
    EXPECT_EQ(fault.kind, kind);
    EXPECT_EQ(fault.block, block->meta().ulid);
    EXPECT_EQ(fault.series, R"({__name__="m"})");
  }
  EXPECT_TRUE(files.List("data")->empty());
}

TEST(DownsampleBlock, OverlappingChunksAreTheBlocksFault) {
  ExpectFault([](SourceSeries* series) { series->chunks[0].meta.maxt_ms += 300'000; }, FaultKind::kChunkOrder);
}

TEST(DownsampleBlock, AChunkWithABadChecksumIsTheBlocksFault) {
  ExpectFault([](SourceSeries* series) { series->chunks[1].stored = "\x02\x01xx0000"; }, FaultKind::kChunk);
}

TEST(DownsampleBlock, DeletedSamplesAreNotCounted) {
  io::FakeFileSystem files;
  auto whole = MakeBlock(files, {{1, 2, 3, 4}, {5, 6}}, 300'000);
  uint32_t id = (*whole->index().AllPostings())[0];
  Tombstones tombstones;
  tombstones.Add(id, {120'000, 300'000});
  ASSERT_TRUE(files.RemoveAll("source").ok());
  auto block = MakeBlock(files, {{1, 2, 3, 4}, {5, 6}}, 300'000, tombstones);
  auto made = Downsample(files, block, 0, kFiveMinutesMs);
  ASSERT_TRUE(made.ok() && made->has_value()) << made.status().message();
  auto result = Block::Open(files, "data/" + Ulid().ToString());
  ASSERT_TRUE(result.ok());
  BlockSeries series(**result, *(*result)->Select({}, Cancel()), INT64_MIN, INT64_MAX);
  ASSERT_TRUE(*series.Next());
  Samples sums;
  for (const ChunkMeta& chunk : series.chunks()) {
    auto parts = ParseAggrChunk((*result)->chunks().Read(chunk.ref)->bytes);
    ASSERT_TRUE(DecodeChunk((*parts)[Aggregate::kSum], &sums).ok());
  }
  EXPECT_EQ(sums.values, (std::vector<double>{3, 6}));
}

TEST(DownsampleBlock, ABlockWithoutNumbersMakesNone) {
  io::FakeFileSystem files;
  auto block = MakeBlock(files, {{std::nan(""), std::nan("")}}, 300'000);
  auto made = Downsample(files, block, 0, kFiveMinutesMs);
  ASSERT_TRUE(made.ok());
  EXPECT_FALSE(made->has_value());
}

}  // namespace
}  // namespace gauntlet::tsdb
