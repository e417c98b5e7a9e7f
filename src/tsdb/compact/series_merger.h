// SeriesMerger: the chunks that several blocks have of one series, as chunks of one block.
//
// Chunks are taken in order of their times from all parts. One that overlaps no other goes on as it is, and of chunks
// that are equal byte for byte one does; a group of chunks that overlap each other is decoded, merged by the kind, and
// encoded anew.
//
// Upstream: prometheus storage/merge.go (compactChunkIterator); thanos pkg/dedup/chunk_iter.go
// Threads:  one thread at a time.           Owns: buffers, reused from series to series.

#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "base/status.h"
#include "tsdb/chunkenc/transcode.h"
#include "tsdb/compact/compaction.h"
#include "tsdb/compact/fault.h"
#include "tsdb/compact/part.h"
#include "tsdb/compact/replica_walk.h"

namespace gauntlet::tsdb {

// One series on its way. Borrows what the parts own.
struct MergedChunks {
  std::vector<BlockChunk> chunks;
  std::deque<EncodedChunk> made;  // what chunks that were encoded anew view

  void Clear() {
    chunks.clear();
    made.clear();
  }
};

// Which of the sources an error is about.
struct MergeFault {
  FaultKind kind = FaultKind::kNone;
  uint32_t source = 0;
};

class SeriesMerger {
 public:
  explicit SeriesMerger(const CompactOptions& options)
      : kind_(options.kind), accept_unordered_(options.accept_unordered_chunks) {}

  // Replaces *out by the chunks of the parts, in the order in which their chunks are to be met. sources[i] is the place
  // of part i among the sources.
  Status Merge(std::span<const SourceSeries> parts, std::span<const uint32_t> sources, MergedChunks* out,
               MergeFault* fault);

 private:
  using Chunks = std::vector<MergeChunk>;

  // Puts the parts into by_time_; false when chunks overlap or go back, or a part has deletions.
  bool FollowEachOther(std::span<const SourceSeries> parts);
  // Appends the chunks of the parts by_time_ as they are.
  Status Copy(std::span<const SourceSeries> parts, std::span<const uint32_t> sources, MergedChunks* out,
              MergeFault* fault) const;
  Status ReadParts(std::span<const SourceSeries> parts, std::span<const uint32_t> sources, MergedChunks* out,
                   MergeFault* fault);
  // Splits a part whose chunks are not in order into parts whose chunks are.
  void SplitUnordered(Chunks chunks);
  Status MergeParts(MergedChunks* out, MergeFault* fault);
  // The group, its first chunk in front, encoded anew.
  Status MergeGroup(std::span<const MergeChunk> group, std::vector<EncodedChunk>* out, MergeFault* fault);
  Status Decode(const MergeChunk& chunk, Samples* out, MergeFault* fault);
  // Decodes the group into replicas_, each part's chunks into one.
  Status DecodeByPart(std::span<const MergeChunk> group, MergeFault* fault);
  // The same, each chunk into one; those that do not hold what the first one does are left out if `alike`.
  Status DecodeByChunk(std::span<const MergeChunk> group, bool alike, MergeFault* fault);
  Samples& NewReplica();

  const MergeKind kind_;
  const bool accept_unordered_;
  std::vector<Chunks> parts_;
  std::vector<size_t> by_time_;
  std::vector<std::unique_ptr<Samples>> buffers_;  // as many as were ever needed at once
  std::vector<Samples*> replicas_;                 // those in use
  Samples merged_;
  ReplicaWalk walk_;
};

}  // namespace gauntlet::tsdb
