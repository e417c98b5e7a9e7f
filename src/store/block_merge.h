// BlockMerge: what several blocks answer, as one stream: equal series joined, exact copies of chunks once.
//
// Threads: one thread at a time.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "storeapi/store.h"

namespace gauntlet::store {

struct BlockStream {
  std::string id;
  std::unique_ptr<storeapi::SeriesStream> series;
};

// A block that ends with an error becomes a warning, and its rest is missing; with `abort` it ends the answer. A
// request that no block could answer (kInvalid, kUnsupported, kExhausted) ends it always. `limit` of series; 0 = all.
std::unique_ptr<storeapi::SeriesStream> MergeBlocks(std::vector<BlockStream> blocks, bool abort, int64_t limit);

}  // namespace gauntlet::store
