// BlockPostings: postings lists of one block, from the cache or from the bucket in few reads.
//
// Upstream: thanos pkg/store/bucket.go (bucketIndexReader.fetchPostings)
// Threads:  one thread at a time.           Owns: what it brought; cursors die with it.

#pragma once

#include <memory>
#include <span>
#include <vector>

#include "store/bucket_block.h"
#include "tsdb/index/matching.h"

namespace gauntlet::store {

class BlockPostings : public tsdb::PostingsFetcher {
 public:
  // Borrows the block; `limit` may be null.
  BlockPostings(const BucketBlock& block, DownloadLimit* limit, const Cancel& cancel)
      : block_(block), limit_(limit), cancel_(cancel) {}

  Status Fetch(std::span<const tsdb::PostingsKey> keys, std::vector<tsdb::PostingsCursorPtr>* out) override;

 private:
  Status FetchMissing(std::span<const tsdb::PostingsKey> keys, const std::vector<size_t>& missing,
                      std::vector<tsdb::PostingsList>* lists);

  const BucketBlock& block_;
  DownloadLimit* const limit_;
  const Cancel cancel_;
  std::vector<CachedBytes> cached_;
  std::vector<std::unique_ptr<RangedBytes>> fetched_;
};

}  // namespace gauntlet::store
