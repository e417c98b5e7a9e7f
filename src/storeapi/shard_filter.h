// ShardFilter: which series belong to a vertical shard.
//
// Upstream: thanos pkg/store/storepb/shard_info.go (xxHash64 over name 0xff value 0xff of the labels that count)
// Threads:  one thread at a time (it reuses a buffer).

#pragma once

#include <string>
#include <utility>

#include "model/labels.h"
#include "storeapi/request.h"

namespace gauntlet::storeapi {

class ShardFilter {
 public:
  // A shard of no total: everything matches.
  explicit ShardFilter(ShardInfo shard) : shard_(std::move(shard)) {}
  bool Matches(LabelsView labels);

 private:
  ShardInfo shard_;
  std::string buffer_;
};

}  // namespace gauntlet::storeapi
