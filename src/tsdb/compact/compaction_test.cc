#include "tsdb/compact/compaction.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "io/fake_file_system.h"
#include "io/path.h"
#include "tsdb/block/block.h"
#include "tsdb/compact/compacted_meta.h"
#include "tsdb/compact/sample_encoder.h"

namespace gauntlet::tsdb {
namespace {

constexpr int64_t kHour = 3'600'000;

// Times and values of a series.
using Points = std::map<int64_t, double>;
using Content = std::map<std::string, Points>;  // by the value of label "s"

struct ChunkOf {
  std::string series;
  std::vector<std::pair<int64_t, double>> samples;
};

class Compaction : public ::testing::Test {
 protected:
  Compaction() { EXPECT_TRUE(files_.MakeDirectories("data").ok()); }

  Ulid NextId() {
    Ulid id;
    ++blocks_made_;
    id.bytes[4] = static_cast<uint8_t>(blocks_made_ >> 8);
    id.bytes[5] = static_cast<uint8_t>(blocks_made_);
    return id;
  }
  static Labels LabelsOf(const std::string& series) {
    LabelsBuilder builder;
    builder.Set("__name__", "m");
    builder.Set("s", series);
    return builder.Build();
  }

  // Writes a block; the chunks of a series in the order given.
  std::shared_ptr<const Block> Write(const std::vector<ChunkOf>& chunks, int64_t mint_ms, int64_t maxt_ms,
                                     const std::map<std::string, std::vector<Interval>>& deleted = {}) {
    BlockMeta meta;
    meta.ulid = NextId();
    meta.mint_ms = mint_ms;
    meta.maxt_ms = maxt_ms;
    meta.compaction.sources = {meta.ulid};
    auto writer = BlockWriter::Create(files_, "data", meta);
    EXPECT_TRUE(writer.ok());
    std::set<std::string> symbols = {"__name__", "m", "s"};
    std::map<std::string, std::vector<EncodedChunk>> by_series;
    for (const ChunkOf& chunk : chunks) {
      symbols.insert(chunk.series);
      Samples samples;
      for (auto [t, v] : chunk.samples) {
        samples.times_ms.push_back(t);
        samples.values.push_back(v);
      }
      EncodeSamples(samples, 1000, &by_series[chunk.series]);
    }
    for (const auto& symbol : symbols) EXPECT_TRUE((*writer)->AddSymbol(symbol).ok());
    for (const auto& [series, encoded] : by_series) {
      std::vector<BlockChunk> out;
      for (const EncodedChunk& chunk : encoded) out.push_back({chunk.mint_ms, chunk.maxt_ms, chunk.view()});
      Status st = (*writer)->AddSeries(LabelsOf(series).view(), out);
      EXPECT_TRUE(st.ok()) << st.message();
    }
    EXPECT_TRUE((*writer)->Finish().ok());
    std::string dir = (*writer)->dir();
    auto block = Block::Open(files_, dir);
    EXPECT_TRUE(block.ok());
    if (deleted.empty()) return *block;
    Tombstones stones;
    BlockSeries walk(**block, *(*block)->Select({}, Cancel()), INT64_MIN, INT64_MAX);
    while (*walk.Next()) {
      auto found = deleted.find(std::string(walk.labels().Get("s")));
      if (found == deleted.end()) continue;
      for (const Interval& interval : found->second) stones.Add(walk.id(), interval);
    }
    EXPECT_TRUE(files_.WriteAtomically(dir + "/tombstones", stones.Format()).ok());
    return *Block::Open(files_, dir);
  }

  Result<std::optional<BlockMeta>> Compact(const std::vector<std::shared_ptr<const Block>>& blocks,
                                           const CompactOptions& options = {}, BlockFault* fault = nullptr) {
    std::vector<std::unique_ptr<BlockSource>> sources;
    std::vector<const BlockMeta*> metas;
    for (const auto& block : blocks) {
      sources.push_back(std::make_unique<LocalBlockSource>(block));
      metas.push_back(&block->meta());
    }
    GN_ASSIGN(auto sink, LocalBlockSink::Create(files_, "data", CompactedMeta(metas, NextId()), 4096));
    return CompactBlocks(sources, options, *sink, Cancel(), fault);
  }

  // All that the block has, which must verify.
  Content Read(const BlockMeta& meta) {
    auto block = Block::Open(files_, "data/" + meta.ulid.ToString());
    EXPECT_TRUE(block.ok()) << block.status().message();
    Status verified = VerifyBlock(**block, Cancel());
    EXPECT_TRUE(verified.ok()) << verified.message();
    return Read(**block);
  }
  static Content Read(const Block& block) {
    Content content;
    BlockSeries walk(block, *block.Select({}, Cancel()), INT64_MIN, INT64_MAX);
    while (*walk.Next()) {
      Samples samples;
      EXPECT_TRUE(ReadSamples(block, walk.chunks(), walk.deleted(), INT64_MIN, INT64_MAX, &samples).ok());
      Points& points = content[std::string(walk.labels().Get("s"))];
      for (size_t i = 0; i < samples.size(); ++i) points[samples.times_ms[i]] = samples.values[i];
    }
    return content;
  }

  io::FakeFileSystem files_;
  int blocks_made_ = 0;
};

TEST_F(Compaction, ChunksThatDoNotOverlapAreCopied) {
  auto a = Write({{"x", {{0, 1}, {10, 2}}}, {"y", {{5, 1}}}}, 0, 100);
  auto b = Write({{"x", {{100, 3}, {110, 4}}}, {"z", {{150, 9}}}}, 100, 200);
  auto meta = Compact({a, b});
  ASSERT_TRUE(meta.ok()) << meta.status().message();
  EXPECT_EQ((*meta)->stats.series, 3u);
  EXPECT_EQ((*meta)->stats.chunks, 4u);
  EXPECT_EQ((*meta)->stats.samples, 6u);
  EXPECT_EQ((*meta)->stats.float_samples, 6u);
  EXPECT_EQ(Read(**meta), (Content{{"x", {{0, 1}, {10, 2}, {100, 3}, {110, 4}}}, {"y", {{5, 1}}}, {"z", {{150, 9}}}}));
}

TEST_F(Compaction, SamplesOutsideOfTheSpanAreLeftOut) {
  auto a = Write({{"x", {{0, 1}, {50, 2}, {150, 3}}}, {"y", {{200, 1}}}}, 0, 100);
  auto meta = Compact({a});
  ASSERT_TRUE(meta.ok()) << meta.status().message();
  EXPECT_EQ(Read(**meta), (Content{{"x", {{0, 1}, {50, 2}}}}));
}

// Blocks with random chunks, deletions and spans; all that they show is in the merged block, and nothing else.
TEST_F(Compaction, RandomOverlappingBlocksGiveTheUnionOfTheirSamples) {
  std::mt19937 random(11);
  for (int round = 0; round < 150; ++round) {
    std::vector<std::shared_ptr<const Block>> blocks;
    std::map<std::string, std::map<int64_t, std::set<double>>> want;
    for (size_t b = 0, n = 1 + random() % 5; b < n; ++b) {
      int64_t mint = static_cast<int64_t>(random() % 4) * kHour, maxt = mint + kHour * (1 + random() % 2);
      std::vector<ChunkOf> chunks;
      std::map<std::string, std::vector<Interval>> deleted;
      for (int s = 0; s < 8; ++s) {
        if (random() % 3 == 0) continue;
        std::string series(1, static_cast<char>('a' + s));
        int64_t t = mint + static_cast<int64_t>(random() % 100'000);
        while (t < maxt) {
          ChunkOf chunk{series, {}};
          for (size_t i = 0, m = 1 + random() % 60; i < m && t < maxt; ++i) {
            chunk.samples.emplace_back(t, random() % 2 == 0 ? 1.5 : static_cast<double>(random() % 1000));
            t += 15'000 * (1 + (random() % 10 == 0)) + static_cast<int64_t>(random() % 2) * (random() % 200);
          }
          chunks.push_back(chunk);
          t += static_cast<int64_t>(random() % 3) * 60'000;
        }
        for (size_t i = random() % 3; i > 0; --i) {
          int64_t from = mint + static_cast<int64_t>(random() % (2 * kHour));
          AddInterval(deleted[series], {from, from + static_cast<int64_t>(random() % (kHour / 2))});
        }
      }
      blocks.push_back(Write(chunks, mint, maxt, deleted));
      for (const auto& [series, points] : Read(*blocks.back())) {
        for (auto [t, v] : points) want[series][t].insert(v);
      }
    }
    std::stable_sort(blocks.begin(), blocks.end(),
                     [](const auto& a, const auto& b) { return a->meta().mint_ms < b->meta().mint_ms; });
    ThreadPool pool("compact", 2);
    auto meta = Compact(blocks, {.executor = round % 2 == 0 ? nullptr : &pool});
    ASSERT_TRUE(meta.ok()) << meta.status().message();
    if (want.empty()) {
      EXPECT_FALSE(meta->has_value());
      continue;
    }
    Content got = Read(**meta);
    ASSERT_EQ(got.size(), want.size()) << "round " << round;
    for (const auto& [series, points] : want) {
      ASSERT_EQ(got[series].size(), points.size()) << "round " << round << " " << series;
      for (const auto& [t, values] : points) {
        ASSERT_TRUE(got[series].count(t) != 0 && values.count(got[series][t]) != 0) << "round " << round;
      }
    }
  }
}

TEST_F(Compaction, PenaltyKeepsEverySampleOfIdenticalReplicas) {
  std::mt19937 random(3);
  std::vector<std::pair<int64_t, double>> all;
  for (int64_t t = 0; t < 3240 * 15'000; t += 15'000) all.emplace_back(t, static_cast<double>(random() % 1000));
  auto cut = [&](size_t samples) {
    std::vector<ChunkOf> chunks;
    for (size_t i = 0; i < all.size(); i += samples) {
      auto begin = all.begin() + static_cast<std::ptrdiff_t>(i);
      chunks.push_back({"x", {begin, begin + static_cast<std::ptrdiff_t>(std::min(samples, all.size() - i))}});
    }
    return chunks;
  };
  auto a = Write(cut(120), 0, all.back().first + 1), b = Write(cut(100), 0, all.back().first + 1);
  auto meta = Compact({a, b}, {.kind = MergeKind::kPenalty});
  ASSERT_TRUE(meta.ok()) << meta.status().message();
  EXPECT_EQ((*meta)->stats.samples, 3240u);
  EXPECT_EQ(Read(**meta)["x"], Points(all.begin(), all.end()));
  auto exact = Compact({a, b}, {.kind = MergeKind::kPenaltyExact});
  ASSERT_TRUE(exact.ok());
  EXPECT_LT((*exact)->stats.samples, 3240u);
}

TEST_F(Compaction, ABrokenChunkIsNamedWithItsBlockAndSeries) {
  auto a = Write({{"x", {{0, 1}, {10, 2}}}, {"y", {{5, 1}, {6, 2}, {7, 3}}}}, 0, 100);
  auto b = Write({{"x", {{100, 3}}}}, 100, 200);
  std::string path = "data/" + a->meta().ulid.ToString() + "/chunks/000001";
  std::string bytes = *files_.ReadFile(path);
  bytes[bytes.size() - 6] ^= 1;  // in the last chunk
  ASSERT_TRUE(files_.WriteAtomically(path, bytes).ok());
  BlockFault fault;
  auto meta = Compact({*Block::Open(files_, "data/" + a->meta().ulid.ToString()), b}, {}, &fault);
  ASSERT_FALSE(meta.ok());
  EXPECT_EQ(meta.status().code(), Code::kCorrupt);
  EXPECT_EQ(fault.kind, FaultKind::kChunk);
  EXPECT_EQ(fault.block, a->meta().ulid);
  EXPECT_EQ(fault.series, R"({__name__="m", s="y"})");
  EXPECT_NE(meta.status().message().find(a->meta().ulid.ToString()), std::string_view::npos);
  EXPECT_NE(meta.status().message().find(fault.series), std::string_view::npos);
}

// Batches go through workers side by side: the order of what is written is that of the series, and so is the first
// error.
TEST_F(Compaction, ManyWorkersWriteWhatOneWrites) {
  std::vector<ChunkOf> early, late;
  for (int i = 0; i < 3000; ++i) {
    const std::string series = std::to_string(10'000 + i);
    early.push_back({series, {{i % 7, i}, {50, i + 1}}});
    // Every tenth overlaps, some are in one block only.
    if (i % 3 != 0) late.push_back({series, {{i % 10 == 0 ? 20 : 60, i}, {99, i + 2}}});
  }
  auto a = Write(early, 0, 100), b = Write(late, 0, 100);
  ThreadPool pool("compact", 8);
  auto bytes = [&](const BlockMeta& meta) {
    const std::string dir = "data/" + meta.ulid.ToString();
    std::string all = *files_.ReadFile(dir + "/index");
    auto segments = files_.List(dir + "/chunks");
    for (const io::FileInfo& segment : *segments) all += *files_.ReadFile(dir + "/chunks/" + segment.name);
    return all;
  };
  auto one = Compact({a, b});
  ASSERT_TRUE(one.ok()) << one.status().message();
  for (int round = 0; round < 5; ++round) {
    auto many = Compact({a, b}, {.executor = &pool});
    ASSERT_TRUE(many.ok()) << many.status().message();
    EXPECT_EQ((*many)->stats, (*one)->stats);
    EXPECT_TRUE(bytes(**many) == bytes(**one));
  }

  const std::string dir = "data/" + a->meta().ulid.ToString();
  std::string segment = *files_.ReadFile(dir + "/chunks/000001");
  for (size_t at : {segment.size() / 3, segment.size() / 2, segment.size() - 6}) segment[at] ^= 1;
  ASSERT_TRUE(files_.WriteAtomically(dir + "/chunks/000001", segment).ok());
  auto broken = *Block::Open(files_, dir);
  BlockFault first;
  ASSERT_FALSE(Compact({broken, b}, {}, &first).ok());
  for (int round = 0; round < 20; ++round) {
    BlockFault fault;
    ASSERT_FALSE(Compact({broken, b}, {.executor = &pool}, &fault).ok());
    EXPECT_EQ(fault.series, first.series);
    EXPECT_EQ(fault.kind, first.kind);
    EXPECT_EQ(fault.block, a->meta().ulid);
  }
}

TEST_F(Compaction, AMissingSegmentIsAMissingChunk) {
  auto a = Write({{"x", {{0, 1}, {10, 2}}}}, 0, 100);
  std::string dir = "data/" + a->meta().ulid.ToString();
  ASSERT_TRUE(files_.RemoveFile(dir + "/chunks/000001").ok());
  BlockFault fault;
  auto meta = Compact({*Block::Open(files_, dir)}, {}, &fault);
  ASSERT_FALSE(meta.ok());
  EXPECT_EQ(meta.status().code(), Code::kCorrupt);
  EXPECT_EQ(fault.kind, FaultKind::kMissingChunk);
  EXPECT_EQ(fault.series, R"({__name__="m", s="x"})");
}

// Every cut of the index and of the segment is an error that says which block; never a crash, never a smaller block.
TEST_F(Compaction, CutFilesAreErrorsOfTheirBlock) {
  auto a = Write({{"x", {{0, 1}, {10, 2}}}, {"y", {{5, 1}, {6, 2}, {7, 3}}}}, 0, 100);
  std::string dir = "data/" + a->meta().ulid.ToString();
  for (std::string name : {"/chunks/000001", "/index"}) {
    std::string bytes = *files_.ReadFile(dir + name);
    for (size_t n = 8; n < bytes.size(); ++n) {
      ASSERT_TRUE(files_.WriteAtomically(dir + name, bytes.substr(0, n)).ok());
      auto block = Block::Open(files_, dir);
      if (!block.ok()) continue;
      BlockFault fault;
      auto meta = Compact({*block}, {}, &fault);
      ASSERT_FALSE(meta.ok()) << name << " " << n;
      EXPECT_EQ(meta.status().code(), Code::kCorrupt);
      EXPECT_NE(fault.kind, FaultKind::kNone);
      EXPECT_EQ(fault.block, a->meta().ulid);
    }
    ASSERT_TRUE(files_.WriteAtomically(dir + name, bytes).ok());
  }
}

TEST_F(Compaction, AFlippedBitIsAnErrorOrChangesNothing) {
  auto a = Write({{"x", {{0, 1}, {10, 2}}}, {"y", {{5, 1}, {6, 2}, {7, 3}}}}, 0, 100);
  Content want = Read(*a);
  std::string dir = "data/" + a->meta().ulid.ToString();
  for (std::string name : {"/chunks/000001", "/index"}) {
    std::string bytes = *files_.ReadFile(dir + name);
    for (size_t n = 0; n < bytes.size(); ++n) {
      std::string flipped = bytes;
      flipped[n] = static_cast<char>(flipped[n] ^ (1 << (n % 8)));
      ASSERT_TRUE(files_.WriteAtomically(dir + name, flipped).ok());
      auto block = Block::Open(files_, dir);
      if (!block.ok()) continue;
      BlockFault fault;
      auto meta = Compact({*block}, {}, &fault);
      if (meta.ok()) {
        ASSERT_TRUE(meta->has_value());
        EXPECT_EQ(Read(**meta), want) << name << " " << n;
      } else {
        EXPECT_EQ(fault.block, a->meta().ulid) << name << " " << n << " " << meta.status().message();
      }
    }
    ASSERT_TRUE(files_.WriteAtomically(dir + name, bytes).ok());
  }
}

// A source that says what it is told to say, in whatever order.
class ToldSource : public BlockSource {
 public:
  struct Told {
    std::vector<uint32_t> symbols;
    std::vector<std::vector<std::pair<int64_t, double>>> chunks;
  };

  ToldSource(std::vector<std::string> symbols, const std::vector<Told>& series) : symbols_(std::move(symbols)) {
    meta_.ulid.bytes[15] = 7;
    meta_.maxt_ms = kHour;
    for (const Told& told : series) {
      SourceSeries& out = series_.emplace_back();
      out.symbols = told.symbols;
      for (const auto& points : told.chunks) {
        Samples samples;
        for (auto [t, v] : points) {
          samples.times_ms.push_back(t);
          samples.values.push_back(v);
        }
        std::vector<EncodedChunk> encoded;
        EncodeSamples(samples, 1000, &encoded);
        auto stored = std::make_shared<std::string>();
        AppendStoredChunk(encoded[0].view(), stored.get());
        out.chunks.push_back({{encoded[0].mint_ms, encoded[0].maxt_ms, 0}, *stored});
        out.owners.push_back(stored);
      }
    }
  }

  const BlockMeta& meta() const override { return meta_; }
  Result<bool> NextSymbol(const Cancel&, std::string_view* symbol) override {
    if (next_symbol_ == symbols_.size()) return false;
    *symbol = symbols_[next_symbol_++];
    return true;
  }
  Result<bool> Next(const Cancel&, SourceSeries* out) override {
    out->Clear();
    if (next_ == series_.size()) return false;
    *out = series_[next_++];
    return true;
  }

 private:
  BlockMeta meta_;
  std::vector<std::string> symbols_;
  std::vector<SourceSeries> series_;
  size_t next_symbol_ = 0, next_ = 0;
};

class ToldCompaction : public Compaction {
 protected:
  Result<std::optional<BlockMeta>> Compact(std::vector<std::string> symbols,
                                           const std::vector<ToldSource::Told>& series,
                                           const CompactOptions& options = {}) {
    std::vector<std::unique_ptr<BlockSource>> sources;
    sources.push_back(std::make_unique<ToldSource>(std::move(symbols), series));
    BlockMeta meta = sources[0]->meta();
    meta.ulid = NextId();
    GN_ASSIGN(auto sink, LocalBlockSink::Create(files_, "data", meta));
    return CompactBlocks(sources, options, *sink, Cancel(), &fault_);
  }

  BlockFault fault_;
};

TEST_F(ToldCompaction, UnorderedChunksAreAFaultOrMerged) {
  // The second chunk lies within the first one, the third before it; one sample is there twice.
  std::vector<ToldSource::Told> series = {
      {{1, 0}, {{{100, 1}, {200, 2}, {300, 3}}, {{200, 2}, {250, 9}}, {{10, 5}, {20, 6}}}}};
  auto meta = Compact({"a", "s"}, series);
  ASSERT_FALSE(meta.ok());
  EXPECT_EQ(meta.status().code(), Code::kCorrupt);
  EXPECT_EQ(fault_.kind, FaultKind::kChunkOrder);
  EXPECT_EQ(fault_.series, R"({s="a"})");
  for (MergeKind kind : {MergeKind::kChain, MergeKind::kPenalty}) {
    meta = Compact({"a", "s"}, series, {.kind = kind, .accept_unordered_chunks = true});
    ASSERT_TRUE(meta.ok()) << meta.status().message();
    Points got = Read(**meta)["a"];
    for (int64_t t : {10, 20, 100, 200, 300}) EXPECT_EQ(got.count(t), 1u) << t;
    if (kind == MergeKind::kChain) {
      EXPECT_EQ(got, (Points{{10, 5}, {20, 6}, {100, 1}, {200, 2}, {250, 9}, {300, 3}}));
    }
  }
}

TEST_F(ToldCompaction, SeriesThatDoNotAscendAreAFault) {
  for (uint32_t second : {0u, 1u}) {
    auto meta = Compact({"a", "b", "s"}, {{{2, 1}, {{{1, 1}}}}, {{2, second}, {{{1, 1}}}}});
    ASSERT_FALSE(meta.ok());
    EXPECT_EQ(fault_.kind, FaultKind::kSeriesOrder);
    EXPECT_EQ(fault_.block.bytes[15], 7);
    EXPECT_EQ(fault_.series, second == 0 ? R"({s="a"})" : R"({s="b"})");
  }
}

TEST_F(ToldCompaction, SymbolsThatDoNotAscendOrAreNotThereAreAFault) {
  EXPECT_FALSE(Compact({"s", "a"}, {{{0, 1}, {{{1, 1}}}}}).ok());
  EXPECT_EQ(fault_.kind, FaultKind::kIndex);
  EXPECT_FALSE(Compact({"a", "s"}, {{{1, 2}, {{{1, 1}}}}}).ok());
  EXPECT_EQ(fault_.kind, FaultKind::kIndex);
  EXPECT_EQ(fault_.block.bytes[15], 7);
}

TEST_F(ToldCompaction, AChunkWithTimesOutsideOfItsEntryIsAFaultWhereItIsDecoded) {
  std::vector<std::unique_ptr<BlockSource>> sources;
  for (int i = 0; i < 2; ++i) {
    auto source = std::make_unique<ToldSource>(std::vector<std::string>{"a", "s"},
                                               std::vector<ToldSource::Told>{{{1, 0}, {{{100, 1.0 + i}, {200, 2}}}}});
    sources.push_back(std::move(source));
  }
  // What overlaps is decoded; what the entry says of the second one's times is wrong.
  class Lying : public BlockSource {
   public:
    explicit Lying(BlockSource& real) : real_(real) {}
    const BlockMeta& meta() const override { return real_.meta(); }
    Result<bool> NextSymbol(const Cancel& cancel, std::string_view* symbol) override {
      return real_.NextSymbol(cancel, symbol);
    }
    Result<bool> Next(const Cancel& cancel, SourceSeries* out) override {
      auto more = real_.Next(cancel, out);
      if (more.ok() && *more) out->chunks[0].meta.maxt_ms = 150;
      return more;
    }

   private:
    BlockSource& real_;
  };
  std::unique_ptr<BlockSource> real = std::move(sources[1]);
  sources[1] = std::make_unique<Lying>(*real);
  BlockMeta meta = sources[0]->meta();
  meta.ulid = NextId();
  auto sink = LocalBlockSink::Create(files_, "data", meta);
  ASSERT_TRUE(sink.ok());
  EXPECT_FALSE(CompactBlocks(sources, {}, **sink, Cancel(), &fault_).ok());
  EXPECT_EQ(fault_.kind, FaultKind::kChunk);
}

}  // namespace
}  // namespace gauntlet::tsdb
