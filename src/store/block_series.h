// BlockSeries: what one block answers to a Series call.
//
// Upstream: thanos pkg/store/bucket.go (blockSeriesClient)
// Threads:  one thread at a time.

#pragma once

#include <memory>

#include "store/bucket_block.h"
#include "store/series_walk.h"
#include "storeapi/store.h"

namespace gauntlet::store {

// `matchers`: without those on external labels. The stream shares the block and the request.
std::unique_ptr<storeapi::SeriesStream> BlockSeries(BucketBlockPtr block, Matchers matchers,
                                                    std::shared_ptr<BlockRequest> request, const Cancel& cancel);

}  // namespace gauntlet::store
