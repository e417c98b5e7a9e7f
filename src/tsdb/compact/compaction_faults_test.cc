// What is wrong in a source is named: its block, its series, its kind. Nothing is written of it.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tsdb/compact/testing/compaction_fixture.h"

namespace gauntlet::tsdb {
namespace {

class CompactionFaults : public Compaction {};

TEST_F(CompactionFaults, ABrokenChunkIsNamedWithItsBlockAndSeries) {
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

TEST_F(CompactionFaults, AMissingSegmentIsAMissingChunk) {
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
TEST_F(CompactionFaults, CutFilesAreErrorsOfTheirBlock) {
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

TEST_F(CompactionFaults, AFlippedBitIsAnErrorOrChangesNothing) {
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
