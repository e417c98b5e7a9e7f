// ChunkUnion: the chunks of one series from several sources as one list by time, exact copies once.
//
// A downsampled chunk is a group of aggregates of the same time, which stay together.
// Upstream: thanos pkg/store/proxy_merge.go (chainSeriesAndRemIdenticalChunks)
// Threads:  one thread at a time (it reuses buffers).

#pragma once

#include <span>
#include <vector>

#include "storeapi/merge.h"

namespace gauntlet::storeapi {

class ChunkUnion {
 public:
  // Valid until the next call; the data as long as the parts' batches.
  std::span<const wire::ChunkView> Of(std::span<const SeriesPart> parts);

 private:
  std::vector<std::span<const wire::ChunkView>> groups_;
  std::vector<wire::ChunkView> chunks_;
};

}  // namespace gauntlet::storeapi
