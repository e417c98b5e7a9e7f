// Recorded blocks: every series and sample as recorded, hashes of all chunks, and the same bytes when written again.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "io/fake_file_system.h"
#include "io/path.h"
#include "io/sha256.h"
#include "json/reader.h"
#include "model/histogram.h"
#include "tsdb/block/block.h"
#include "tsdb/block/block_writer.h"
#include "tsdb/chunkenc/aggr_chunk.h"
#include "tsdb/chunkenc/testing/golden_chunks.h"

namespace gauntlet::tsdb {
namespace {

constexpr int64_t kMin = std::numeric_limits<int64_t>::min(), kMax = std::numeric_limits<int64_t>::max();

std::shared_ptr<const Block> OpenGolden(const std::string& path) {
  auto block = Block::Open(io::RealFileSystem(), GoldenFolder() + "/" + path);
  EXPECT_TRUE(block.ok()) << block.status().message();
  return block.ok() ? *block : nullptr;
}

std::string ReadGolden(const std::string& path) {
  auto bytes = io::RealFileSystem().ReadFile(GoldenFolder() + "/" + path);
  EXPECT_TRUE(bytes.ok()) << path;
  return bytes.ok() ? *bytes : "";
}

std::string TestName(const ::testing::TestParamInfo<const char*>& block) {
  std::string name = block.param;
  std::replace_if(name.begin(), name.end(), [](char c) { return c == '-' || c == '/'; }, '_');
  return name;
}

class GoldenBlock : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (GoldenFolder().empty()) GTEST_SKIP() << "no shared golden data";
  }
};
INSTANTIATE_TEST_SUITE_P(Blocks, GoldenBlock,
                         ::testing::Values("blocks/float-2h", "blocks/hist-2h", "blocks/st-xor2-2h", "blocks/many-2h",
                                           "blocks/ooo", "blocks/ooo-inorder-part", "blocks/ooo-merged",
                                           "blocks/tombstones", "blocks/multi-segment", "blocks/index-v1"),
                         TestName);

TEST_P(GoldenBlock, SamplesReadAsRecorded) {
  auto block = OpenGolden(GetParam());
  auto all = block->Select({}, Cancel());
  ASSERT_TRUE(all.ok());
  BlockSeries series(*block, std::move(*all), kMin, kMax);
  Samples samples;
  size_t at = 0, checked = 0;
  auto finish = [&] { EXPECT_EQ(at, samples.size()); };
  std::vector<std::string> lines = GoldenLines(std::string(GetParam()) + ".samples.txt.gz");
  ASSERT_FALSE(lines.empty());
  for (const auto& line : lines) {
    if (line.starts_with("series ")) {
      finish();
      auto more = series.Next();
      ASSERT_TRUE(more.ok() && *more) << line;
      samples.Clear();
      at = 0;
      Status st = ReadSamples(*block, series.chunks(), series.deleted(), kMin, kMax, &samples);
      ASSERT_TRUE(st.ok()) << st.message();
      continue;
    }
    ASSERT_LT(at, samples.size()) << line;
    ASSERT_EQ(SampleText(samples, at), WithoutDecimals(line)) << series.labels().ToString();
    ++at;
    ++checked;
  }
  finish();
  EXPECT_FALSE(*series.Next());
  if (block->tombstones().empty() && block->meta().stats.samples != 0) {
    EXPECT_EQ(checked, block->meta().stats.samples);
  }
}

TEST_P(GoldenBlock, ChunksHaveTheRecordedHashes) {
  auto block = OpenGolden(GetParam());
  size_t checked = 0;
  for (const auto& line : GoldenLines(std::string(GetParam()) + ".series.jsonl.gz")) {
    auto recorded = json::Document::Parse(line);
    ASSERT_TRUE(recorded.ok());
    json::Value chunks = recorded->root().Get("chunks");
    for (size_t i = 0; i < chunks.size(); ++i, ++checked) {
      auto chunk = block->chunks().Read(chunks[i].Get("ref").Uint().value_or(0));
      ASSERT_TRUE(chunk.ok()) << chunk.status().message();
      EXPECT_EQ(io::Sha256Hex(chunk->bytes), chunks[i].Get("sha256").String());
      EXPECT_EQ(EncodingName(chunk->encoding), chunks[i].Get("encoding").String());
    }
  }
  EXPECT_EQ(checked, block->meta().stats.chunks);
}

TEST_P(GoldenBlock, Verifies) {
  if (GetParam() == std::string("blocks/index-v1")) GTEST_SKIP() << "made by hand: its times lie outside of it";
  Status st = VerifyBlock(*OpenGolden(GetParam()), Cancel());
  EXPECT_TRUE(st.ok()) << st.message();
}

// Writes the block's series and chunks with our writer, cut as `segment_bytes_max` says, and compares all files.
void ExpectRewrittenEqual(const std::string& path, uint64_t segment_bytes_max, bool aggregates) {
  auto block = OpenGolden(path);
  io::FakeFileSystem files;
  ASSERT_TRUE(files.MakeDirectories("data").ok());
  BlockMeta meta = block->meta();
  auto writer = BlockWriter::Create(files, "data", meta, segment_bytes_max);
  ASSERT_TRUE(writer.ok());
  if (aggregates) (*writer)->KeepSampleCounts();
  std::string_view symbol;
  for (SymbolTable::Cursor symbols(block->index().symbols()); symbols.Next(&symbol);) {
    ASSERT_TRUE((*writer)->AddSymbol(symbol).ok());
  }
  auto ids = block->index().AllPostings();
  SeriesDecoder decoder(block->index().symbols());
  SeriesEntry entry;
  for (size_t i = 0; i < ids->size(); ++i) {
    ASSERT_TRUE(decoder.Decode(block->index().SeriesBytes((*ids)[i]), &entry).ok());
    std::vector<BlockChunk> chunks;
    for (const ChunkMeta& chunk : entry.chunks) {
      chunks.push_back({chunk.mint_ms, chunk.maxt_ms, *block->chunks().Read(chunk.ref)});
    }
    Status st = (*writer)->AddSeries(entry.labels(), chunks);
    ASSERT_TRUE(st.ok()) << st.message();
  }
  Status st = (*writer)->Finish(block->tombstones());
  ASSERT_TRUE(st.ok()) << st.message();
  std::string dir = "data/" + meta.ulid.ToString();
  auto same = [&](const std::string& name) {
    auto written = files.ReadFile(dir + "/" + name);
    EXPECT_TRUE(written.ok() && *written == ReadGolden(path + "/" + name)) << path << "/" << name;
  };
  same("index");
  auto segments = io::RealFileSystem().List(GoldenFolder() + "/" + path + "/chunks");
  ASSERT_TRUE(segments.ok());
  EXPECT_EQ(files.List(dir + "/chunks")->size(), segments->size());
  for (const auto& segment : *segments) same("chunks/" + segment.name);
  // Thanos ends the file with a line break.
  std::string recorded = ReadGolden(path + "/meta.json");
  if (recorded.ends_with('\n')) recorded.pop_back();
  EXPECT_TRUE(*files.ReadFile(dir + "/meta.json") == recorded) << path;
}

TEST_P(GoldenBlock, RewrittenHasTheSameBytes) {
  if (GetParam() == std::string("blocks/index-v1")) GTEST_SKIP() << "version 1 is not written";
  bool small = GetParam() == std::string("blocks/multi-segment");
  ExpectRewrittenEqual(GetParam(), small ? 12 << 10 : kSegmentBytesMax, false);
}

// Everything that a block holds, as text; nothing when something of it does not read.
std::optional<std::string> Digest(io::FileSystem& files, const std::string& dir) {
  auto block = Block::Open(files, dir);
  if (!block.ok()) return std::nullopt;
  auto all = (*block)->Select({}, Cancel());
  if (!all.ok()) return std::nullopt;
  BlockSeries series(**block, std::move(*all), kMin, kMax);
  std::string digest;
  Samples samples;
  for (;;) {
    auto more = series.Next();
    if (!more.ok()) return std::nullopt;
    if (!*more) return digest;
    samples.Clear();
    digest.append(series.labels().packed());
    if (!ReadSamples(**block, series.chunks(), series.deleted(), kMin, kMax, &samples).ok()) return std::nullopt;
    digest.append(reinterpret_cast<const char*>(samples.times_ms.data()), samples.size() * 8);
    digest.append(reinterpret_cast<const char*>(samples.values.data()), samples.size() * 8);
    for (const HistogramSample& h : samples.histograms) digest.append(HistogramString(h.histogram));
  }
}

// Chunk files and tombstones; the index has its own test.
TEST_P(GoldenBlock, CutAndFlippedFilesGiveAnErrorOrTheRightAnswer) {
  io::FakeFileSystem files;
  std::vector<std::string> names = {"index", "meta.json", "tombstones"};
  auto segments = io::RealFileSystem().List(GoldenFolder() + "/" + GetParam() + "/chunks");
  ASSERT_TRUE(segments.ok());
  for (const auto& segment : *segments) names.push_back("chunks/" + segment.name);
  ASSERT_TRUE(files.MakeDirectories("b/chunks").ok());
  auto put = [&](const std::string& name, std::string_view bytes) {
    ASSERT_TRUE(files.WriteAtomically("b/" + name, bytes).ok());
  };
  for (const auto& name : names) put(name, ReadGolden(std::string(GetParam()) + "/" + name));
  std::optional<std::string> right = Digest(files, "b");
  ASSERT_TRUE(right.has_value());
  // All of it takes minutes: here a sample of the places, all of them when asked for.
  bool full = std::getenv("GAUNTLET_FULL_TRUNCATION") != nullptr;
  std::mt19937_64 random(8);
  for (const auto& name : names) {
    if (name == "index" || name == "meta.json") continue;
    std::string whole = *files.ReadFile("b/" + name);
    auto expect = [&](std::string bytes, const std::string& what) {
      put(name, bytes);
      auto digest = Digest(files, "b");
      EXPECT_TRUE(!digest || *digest == *right) << name << " " << what;
    };
    size_t every = full ? std::min<size_t>(whole.size(), 65536) : std::min<size_t>(whole.size(), 16);
    for (size_t n = 0; n < every; ++n) expect(whole.substr(0, n), "cut at " + std::to_string(n));
    for (int i = 0; i < (full ? 2000 : 8); ++i) {
      size_t n = random() % whole.size();
      expect(whole.substr(0, n), "cut at " + std::to_string(n));
    }
    for (int i = 0; i < (full ? 10000 : 24); ++i) {
      size_t bit = random() % (whole.size() * 8);
      std::string flipped = whole;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
      expect(std::move(flipped), "bit " + std::to_string(bit));
    }
    put(name, whole);
  }
}

class GoldenDownsampled : public GoldenBlock {};
INSTANTIATE_TEST_SUITE_P(Blocks, GoldenDownsampled,
                         ::testing::Values("downsample/floats/5m", "downsample/floats/1h",
                                           "downsample/hist-counter-float/5m", "downsample/hist-gauge/1h"),
                         TestName);

TEST_P(GoldenDownsampled, RewrittenHasTheSameBytes) { ExpectRewrittenEqual(GetParam(), kSegmentBytesMax, true); }

TEST_P(GoldenDownsampled, Verifies) {
  Status st = VerifyBlock(*OpenGolden(GetParam()), Cancel());
  EXPECT_TRUE(st.ok()) << st.message();
}

TEST(GoldenTombstones, FileReadsAndComesBackWithTheSameIntervals) {
  if (GoldenFolder().empty()) GTEST_SKIP() << "no shared golden data";
  std::string bytes = ReadGolden("blocks/tombstones/tombstones");
  auto stones = Tombstones::Parse(bytes);
  ASSERT_TRUE(stones.ok());
  EXPECT_EQ(stones->count(), 46u);
  EXPECT_EQ(stones->Format().size(), bytes.size());  // the order of series in the recorded file is random
  auto again = Tombstones::Parse(stones->Format());
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->by_series(), stones->by_series());
}

}  // namespace
}  // namespace gauntlet::tsdb
