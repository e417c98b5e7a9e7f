// Compaction: blocks made of samples, merged in memory, read back. Test code only.

#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "io/fake_file_system.h"
#include "io/path.h"
#include "tsdb/block/block.h"
#include "tsdb/compact/compacted_meta.h"
#include "tsdb/compact/compaction.h"
#include "tsdb/compact/sample_encoder.h"

namespace gauntlet::tsdb {

inline constexpr int64_t kHour = 3'600'000;

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

}  // namespace gauntlet::tsdb
