// BlockSource: a block that is read once, from front to back: its symbols, then its series with all their chunks.
//
// Nothing of a block needs to be in memory but the series at hand, so the same walk serves a local block and one in a
// bucket. Labels are numbers of symbols; whoever writes them elsewhere maps numbers, not strings.
//
// Upstream: prometheus tsdb/compact.go (BlockReader), tsdb/querier.go (blockBaseSeriesSet)
// Threads:  one thread at a time. A SourceSeries may be used on any thread, also beside the source.

#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/status.h"
#include "tsdb/block/block.h"
#include "tsdb/block/block_meta.h"
#include "tsdb/block/tombstones.h"
#include "tsdb/chunkenc/chunk.h"
#include "tsdb/chunks/segment.h"
#include "tsdb/compact/fault.h"
#include "tsdb/index/series.h"

namespace gauntlet::tsdb {

struct SourceChunk {
  ChunkMeta meta;
  // As it stands in its segment, from its length to its checksum, nothing of it verified. Viewed from the series.
  std::string_view stored;

  // The chunk, its checksum verified.
  Result<ChunkView> Read() const { return ReadStoredChunk(stored); }
};

// Reused from call to call, so that its buffers are allocated once.
struct SourceSeries {
  std::vector<uint32_t> symbols;    // the names and values in turn, as places in the source's symbols, from 0
  std::vector<SourceChunk> chunks;  // as in the index, those that are deleted included
  std::vector<Interval> deleted;    // the series' tombstones
  std::vector<std::shared_ptr<const void>> owners;  // of what the chunks view

  void Clear();
};

class BlockSource {
 public:
  virtual ~BlockSource() = default;

  virtual const BlockMeta& meta() const = 0;
  // The next symbol in ascending order, valid until the next call; false at the end. All before the first series.
  virtual Result<bool> NextSymbol(const Cancel& cancel, std::string_view* symbol) = 0;
  // Replaces *out by the next series in ascending order of labels; false at the end. What its chunks view lives until
  // *out is cleared or filled again. An error names the block; what is known of the labels stays in *out then.
  virtual Result<bool> Next(const Cancel& cancel, SourceSeries* out) = 0;

  // What the last error was about.
  const BlockFault& fault() const { return fault_; }

 protected:
  // Remembers the fault (none when the error is not the block's), and returns the error with the block's id before it.
  Status Fail(FaultKind kind, Status status, std::string series = "");

 private:
  BlockFault fault_;
};

// A block on this machine.
class LocalBlockSource : public BlockSource {
 public:
  explicit LocalBlockSource(std::shared_ptr<const Block> block);

  const BlockMeta& meta() const override { return block_->meta(); }
  Result<bool> NextSymbol(const Cancel& cancel, std::string_view* symbol) override;
  Result<bool> Next(const Cancel& cancel, SourceSeries* out) override;

 private:
  // The labels of the entry that was decoded last, for an error.
  std::string LabelText();
  Status Locate(uint64_t ref, std::string_view* stored) const;

  const std::shared_ptr<const Block> block_;
  SymbolTable::Cursor symbols_;
  SeriesDecoder decoder_;
  std::vector<uint32_t> places_;  // of an index of version 1: the offsets of its symbols
  bool started_ = false;
  PostingsList series_;
  size_t at_ = 0;
};

}  // namespace gauntlet::tsdb
