// BlockSet: the blocks of one set of external labels, by resolution; chooses those that answer a range of time.
//
// Upstream: thanos pkg/store/bucket.go (bucketBlockSet)
// Threads:  immutable once filled.

#pragma once

#include <cstdint>
#include <vector>

#include "model/labels.h"
#include "store/bucket_block.h"

namespace gauntlet::store {

class BlockSet {
 public:
  explicit BlockSet(Labels external) : external_(std::move(external)) {}

  void Add(BucketBlockPtr block);
  // To be called after the last Add.
  void Sort();

  const Labels& external() const { return external_; }
  // The coarsest blocks of up to `max_resolution_ms` that overlap [mint_ms, maxt_ms], and finer ones where these leave
  // gaps.
  void Choose(int64_t mint_ms, int64_t maxt_ms, int64_t max_resolution_ms, std::vector<BucketBlockPtr>* out) const;
  // Those of all resolutions that overlap [mint_ms, maxt_ms]: labels may have gone from the finer ones by retention.
  void ChooseAll(int64_t mint_ms, int64_t maxt_ms, std::vector<BucketBlockPtr>* out) const;

 private:
  struct Level {
    int64_t resolution_ms;
    std::vector<BucketBlockPtr> blocks;  // by their times
  };

  void ChooseFrom(size_t level, int64_t mint_ms, int64_t maxt_ms, std::vector<BucketBlockPtr>* out) const;

  const Labels external_;
  std::vector<Level> levels_;  // coarsest first
};

}  // namespace gauntlet::store
