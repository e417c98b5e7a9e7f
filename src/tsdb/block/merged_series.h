// MergedSeries: the series of several blocks in one order, each with its chunks in all of them.
//
// Threads: one thread at a time; entries are values.           Owns: references to the blocks.

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/loser_tree.h"
#include "base/status.h"
#include "model/labels.h"
#include "model/matcher.h"
#include "tsdb/block/block_directory.h"

namespace gauntlet::tsdb {

// What one block has of a series: chunks [begin, end) of the entry. Borrows the block.
struct SeriesPart {
  const Block* block = nullptr;
  uint32_t series_id = 0, begin = 0, end = 0;

  std::span<const Interval> deleted() const { return block->tombstones().Of(series_id); }
};

struct MergedEntry {
  std::string packed_labels;
  std::vector<ChunkMeta> chunks;
  std::vector<SeriesPart> parts;  // by the time of their first chunk

  LabelsView labels() const { return LabelsView(packed_labels); }
  std::span<const ChunkMeta> chunks_of(const SeriesPart& part) const {
    return std::span(chunks).subspan(part.begin, part.end - part.begin);
  }
  // Whether each part ends before the next one begins.
  bool disjoint() const;
};

class MergedSeries {
 public:
  // Of those blocks that overlap [mint_ms, maxt_ms].
  static Result<std::unique_ptr<MergedSeries>> Select(std::shared_ptr<const BlockList> blocks,
                                                      std::span<const Matcher> matchers, int64_t mint_ms,
                                                      int64_t maxt_ms, const Cancel& cancel);

  // Replaces *out by the next series; false at the end.
  Result<bool> Next(MergedEntry* out);
  size_t memory_bytes() const { return walks_.size() * sizeof(BlockSeries); }

 private:
  MergedSeries() = default;
  bool Before(size_t a, size_t b) const;

  std::shared_ptr<const BlockList> blocks_;
  Cancel cancel_;
  std::vector<const Block*> of_walk_;
  std::vector<std::unique_ptr<BlockSeries>> walks_;
  std::vector<char> ended_;
  LoserTree tree_;
  size_t seen_ = 0;
};

// Appends the samples of the series in [mint_ms, maxt_ms] that are not deleted. Where parts overlap, they are merged by
// time; of two samples at one time that of the earlier part counts.
Status ReadMerged(const MergedEntry& entry, int64_t mint_ms, int64_t maxt_ms, Samples* out);

}  // namespace gauntlet::tsdb
