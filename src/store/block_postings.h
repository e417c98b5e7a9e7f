// BlockPostings: postings lists of one block, from the cache or from the bucket in few reads.
//
// Upstream: thanos pkg/store/bucket.go (bucketIndexReader.fetchPostings)
// Threads:  one thread at a time.           Owns: what it brought; cursors die with it.

#pragma once

#include <memory>
#include <span>
#include <vector>

#include "store/bucket_block.h"
#include "store/series_walk.h"
#include "tsdb/index/matching.h"

namespace gauntlet::store {

class BlockPostings : public tsdb::PostingsFetcher {
 public:
  // Both borrowed.
  BlockPostings(const BucketBlock& block, BlockRequest& request, const Cancel& cancel)
      : block_(block), request_(request), cancel_(cancel) {}

  Status Fetch(std::span<const tsdb::PostingsKey> keys, std::vector<tsdb::PostingsCursorPtr>* out) override;

 private:
  Status FetchMissing(std::span<const tsdb::PostingsKey> keys, const std::vector<size_t>& missing,
                      std::vector<tsdb::PostingsList>* lists);

  const BucketBlock& block_;
  BlockRequest& request_;
  const Cancel cancel_;
  std::vector<CachedBytes> cached_;
  std::vector<std::unique_ptr<RangedBytes>> fetched_;
};

}  // namespace gauntlet::store
