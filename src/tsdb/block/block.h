// Block: a directory with the samples of a span of time, opened for reading.
//
// Format:   docs/format/README.md      Upstream: prometheus tsdb/block.go
// Threads:  immutable.           Owns: its mappings; it may be removed from disk meanwhile.

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/status.h"
#include "io/file_system.h"
#include "model/matcher.h"
#include "model/samples.h"
#include "tsdb/block/block_meta.h"
#include "tsdb/block/tombstones.h"
#include "tsdb/chunks/segment_reader.h"
#include "tsdb/index/index_reader.h"
#include "tsdb/index/series.h"

namespace gauntlet::tsdb {

class Block {
 public:
  static Result<std::shared_ptr<const Block>> Open(io::FileSystem& files, const std::string& dir);

  const BlockMeta& meta() const { return meta_; }
  const IndexReader& index() const { return *index_; }
  const SegmentReader& chunks() const { return chunks_; }
  const Tombstones& tombstones() const { return tombstones_; }
  // Of all its files.
  uint64_t bytes() const { return bytes_; }
  // Whether it may have samples in [mint_ms, maxt_ms].
  bool Overlaps(int64_t mint_ms, int64_t maxt_ms) const { return meta_.mint_ms <= maxt_ms && mint_ms < meta_.maxt_ms; }

  // Series that the matchers select, as cursors for BlockSeries.
  Result<PostingsCursorPtr> Select(std::span<const Matcher> matchers, const Cancel& cancel) const;
  // Sorted; at most `limit`, 0 = all.
  Result<std::vector<std::string>> LabelNames(std::span<const Matcher> matchers, size_t limit,
                                              const Cancel& cancel) const;
  Result<std::vector<std::string>> LabelValues(std::string_view name, std::span<const Matcher> matchers, size_t limit,
                                               const Cancel& cancel) const;

 private:
  Block() = default;

  BlockMeta meta_;
  std::unique_ptr<IndexReader> index_;
  SegmentReader chunks_;
  Tombstones tombstones_;
  uint64_t bytes_ = 0;
};

// Walks series of a block in order, each with its chunks in a span of time. One thread at a time; borrows the block.
class BlockSeries {
 public:
  // Both ends of the span count. Chunks that are deleted as a whole are left out.
  BlockSeries(const Block& block, PostingsCursorPtr series, int64_t mint_ms, int64_t maxt_ms)
      : block_(block),
        series_(std::move(series)),
        mint_ms_(mint_ms),
        maxt_ms_(maxt_ms),
        decoder_(block.index().symbols()) {}

  // To the next series that has a chunk in the span; false at the end.
  Result<bool> Next();

  uint32_t id() const { return series_->id(); }
  LabelsView labels() const { return entry_.labels(); }
  std::span<const ChunkMeta> chunks() const { return entry_.chunks; }
  std::span<const Interval> deleted() const { return deleted_; }

 private:
  const Block& block_;
  PostingsCursorPtr series_;
  const int64_t mint_ms_, maxt_ms_;
  SeriesDecoder decoder_;
  SeriesEntry entry_;
  std::span<const Interval> deleted_;
};

// Appends the samples of the chunks in [mint_ms, maxt_ms] that are not deleted.
Status ReadSamples(const Block& block, std::span<const ChunkMeta> chunks, std::span<const Interval> deleted,
                   int64_t mint_ms, int64_t maxt_ms, Samples* out);

// Reads all of the block: every checksum, order and time; counts as in meta.json. Ok, or what is wrong first.
Status VerifyBlock(const Block& block, const Cancel& cancel);

}  // namespace gauntlet::tsdb
