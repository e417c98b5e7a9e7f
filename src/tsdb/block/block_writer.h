// BlockWriter: makes a block of series with their chunks. Until Finish() it is a directory with a name that no reader
// takes for a block; then it is there as a whole, whatever happens.
//
// Upstream: prometheus tsdb/compact.go (write)
// Threads:  one thread at a time.

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "io/file_system.h"
#include "model/labels.h"
#include "tsdb/block/block_meta.h"
#include "tsdb/block/tombstones.h"
#include "tsdb/chunks/segment_writer.h"
#include "tsdb/index/index_writer.h"

namespace gauntlet::tsdb {

// What a crash leaves behind ends so.
inline constexpr std::string_view kTemporaryBlockSuffix = ".tmp-for-creation";

// A chunk to be written. Borrows the bytes.
struct BlockChunk {
  int64_t mint_ms = 0, maxt_ms = 0;
  ChunkView chunk;
  std::string_view stored = {};  // see ChunkToStore
};

// Counts what a series with these chunks adds to a block. `samples`: their samples, too, from 0 with the first series;
// those of floats and of histograms stay as given in a block of aggregates: they are the raw block's.
void CountSeries(std::span<const BlockChunk> chunks, bool samples, BlockStats* stats);
// Where the chunks of a series went, and what is needed on the way; reused from series to series.
struct WrittenChunks {
  std::vector<ChunkMeta> metas;
  std::vector<ChunkToStore> to_store;
  std::vector<uint64_t> refs;
};
// Writes the chunks of one series.
Status WriteChunks(std::span<const BlockChunk> chunks, SegmentWriter& segments, WrittenChunks* written);

class BlockWriter {
 public:
  // Makes `parent`/ULID; the ULID is that of `meta`, of which Finish() writes all but the counts.
  static Result<std::unique_ptr<BlockWriter>> Create(io::FileSystem& files, const std::string& parent, BlockMeta meta,
                                                     uint64_t segment_bytes_max = kSegmentBytesMax);
  // Removes what is there, unless finished.
  ~BlockWriter();

  // All strings of the labels, ascending, before the first series.
  Status AddSymbol(std::string_view symbol) { return index_->AddSymbol(symbol); }
  // In ascending order of labels; the chunks by time, without overlap. The counts of the meta follow from them.
  Status AddSeries(LabelsView labels, std::span<const BlockChunk> chunks);
  // The same with the numbers of the names and values in turn, as the symbols were added, from 0.
  Status AddSeries(std::span<const uint32_t> labels, std::span<const BlockChunk> chunks);
  // Afterwards the block is complete, durable and in place.
  Status Finish(const Tombstones& tombstones = {});

  const BlockMeta& meta() const { return meta_; }
  const std::string& dir() const { return dir_; }
  // REQUIRES: it was added.
  std::string_view symbol(uint32_t number) const { return index_->symbol(number); }
  // Leaves the sample counts of the meta as they were given.
  void KeepSampleCounts() { keep_sample_counts_ = true; }

 private:
  template <typename Labels>
  Status Add(Labels labels, std::span<const BlockChunk> chunks);
  BlockWriter(io::FileSystem& files, BlockMeta meta) : files_(files), meta_(std::move(meta)) {}

  io::FileSystem& files_;
  BlockMeta meta_;
  std::string parent_, dir_, temporary_;
  std::unique_ptr<SegmentWriter> chunks_;
  std::unique_ptr<IndexWriter> index_;
  WrittenChunks written_;
  bool keep_sample_counts_ = false, finished_ = false;
};

}  // namespace gauntlet::tsdb
