// ChunkFetch: the chunks of selected series, read from the bucket in few reads, as a batch.
//
// Upstream: thanos pkg/store/bucket.go (bucketChunkReader)
// Threads:  one thread at a time.           Owns: nothing; a batch owns what its chunks point into.

#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/memory_budget.h"
#include "store/bucket_block.h"
#include "store/series_walk.h"
#include "storeapi/series_batch.h"

namespace gauntlet::store {

class ChunkFetch {
 public:
  // Borrows the block; shares the request.
  ChunkFetch(const BucketBlock& block, std::shared_ptr<BlockRequest> request, const Cancel& cancel);

  // kInvalid when a downsampled chunk lacks an aggregate that is asked for; kCorrupt names segment and offset.
  Result<storeapi::SeriesBatchPtr> Fetch(std::span<const SelectedSeries> series);

 private:
  struct Place {
    uint32_t segment, offset;
    uint32_t number;  // of the chunk, over all series
  };
  struct Fetched;

  Status ReadSegments(Fetched* fetched, std::vector<std::string_view>* stored);
  Status ReadLonger(uint32_t segment, uint64_t offset, Fetched* fetched, std::string_view* stored);
  Status AppendViews(const tsdb::ChunkMeta& meta, std::string_view stored, std::vector<wire::ChunkView>* views) const;

  const BucketBlock& block_;
  const std::shared_ptr<BlockRequest> request_;
  const Cancel cancel_;
  RangedReader reader_;
  std::vector<wire::Aggregate> aggregates_;  // asked for, each once, in their order
  std::vector<Place> places_;
};

}  // namespace gauntlet::store
