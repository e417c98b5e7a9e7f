// BucketBlockSource: a block in a bucket, read once from front to back by ranges; nothing of it touches the disk.
//
// Upstream: none: Thanos downloads whole blocks
// Threads:  one thread at a time.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/executor.h"
#include "base/memory_budget.h"
#include "base/status.h"
#include "blockstream/object_window.h"
#include "objstore/bucket.h"
#include "tsdb/compact/source.h"
#include "tsdb/index/symbols.h"
#include "tsdb/index/toc.h"

namespace gauntlet::blockstream {

struct BucketSourceOptions {
  size_t chunk_window_bytes = 2 << 20, index_window_bytes = 512 << 10;
  // Fetches the next window while one is read; null = nothing is fetched ahead. May be the executor of the caller.
  Executor* ahead = nullptr;
  MemoryBudget* budget = nullptr;

  // For so many blocks of the bucket, read side by side: windows as suit it, and `bytes_max` in all at most (0 = no
  // limit) unless that is too little for any. Of a bucket that is far away they are large, since a request takes as
  // long as megabytes do; of one on this machine they are small, so that what was read is still in the processor's
  // cache when it is written.
  void Share(const objstore::Bucket& bucket, size_t blocks, size_t bytes_max = 0);
};

class BucketBlockSource : public tsdb::BlockSource {
 public:
  // `meta` is that of the block. kNotFound when it has gone; kCorrupt when its index does not open.
  static Result<std::unique_ptr<BucketBlockSource>> Open(objstore::Bucket& bucket, tsdb::BlockMeta meta,
                                                         const BucketSourceOptions& options, const Cancel& cancel,
                                                         tsdb::BlockFault* fault);

  const tsdb::BlockMeta& meta() const override { return meta_; }
  Result<bool> NextSymbol(const Cancel& cancel, std::string_view* symbol) override;
  Result<bool> Next(const Cancel& cancel, tsdb::SourceSeries* out) override;

  // Bytes of all its segments.
  uint64_t chunk_bytes() const { return chunk_bytes_; }

 private:
  struct Segment {
    std::string object;
    uint64_t bytes = 0;
  };

  BucketBlockSource(objstore::Bucket& bucket, tsdb::BlockMeta meta, const BucketSourceOptions& options);
  Status OpenIndex(const Cancel& cancel);
  Status OpenSegments(const Cancel& cancel);
  Status OpenTombstones(const Cancel& cancel);
  // Bytes of the index from `offset` on, at least `n` of them unless they end before; valid until the next call.
  Result<std::string_view> Index(uint64_t offset, size_t n, const Cancel& cancel);
  Status BeginSymbols(const Cancel& cancel);
  Status EndSymbols(const Cancel& cancel);
  // The entry at offset_, whole.
  Result<std::string_view> Entry(const Cancel& cancel);
  Status ReadEntry(std::string_view entry, tsdb::SourceSeries* out);
  // Where the chunks in metas_ are stored, their bytes kept by the series.
  Status LocateChunks(const Cancel& cancel, tsdb::SourceSeries* out);
  // Fetches the chunk; hand_ begins with it.
  Status Fetch(uint64_t ref, const Cancel& cancel);
  Status OpenSegment(size_t segment, const Cancel& cancel);

  objstore::Bucket& bucket_;
  const tsdb::BlockMeta meta_;
  const BucketSourceOptions options_;
  const std::string dir_;
  int index_version_ = 0;
  tsdb::IndexToc toc_;
  uint64_t series_end_ = 0, chunk_bytes_ = 0;
  std::unique_ptr<ObjectWindow> index_;
  std::vector<Segment> segments_;
  std::unique_ptr<ObjectWindow> segment_;  // the one that was read last
  size_t segment_at_ = SIZE_MAX;
  std::string_view hand_;     // bytes of that segment that were viewed last
  uint64_t hand_offset_ = 0;  // of their first one
  tsdb::Tombstones tombstones_;

  uint64_t offset_ = 0;  // of what comes next in the index
  bool symbols_begun_ = false, series_begun_ = false;
  uint64_t symbols_end_ = 0;
  uint32_t symbols_ = 0, symbols_left_ = 0, symbols_checksum_ = 0;
  std::vector<uint32_t> places_;  // of an index of version 1: the offsets of its symbols
  std::vector<tsdb::ChunkMeta> metas_;
  tsdb::SymbolTable no_symbols_;
  tsdb::SeriesDecoder decoder_{no_symbols_};
};

}  // namespace gauntlet::blockstream
