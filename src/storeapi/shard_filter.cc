#include "storeapi/shard_filter.h"

#include <algorithm>

#include "base/hash.h"

namespace gauntlet::storeapi {

bool ShardFilter::Matches(LabelsView labels) {
  if (shard_.total <= 0) return true;
  buffer_.clear();
  for (const Label& label : labels) {
    bool listed = std::find(shard_.labels.begin(), shard_.labels.end(), label.name) != shard_.labels.end();
    if (listed != shard_.by) continue;
    buffer_.append(label.name).push_back('\xff');
    buffer_.append(label.value).push_back('\xff');
  }
  return XxHash64(buffer_) % static_cast<uint64_t>(shard_.total) == static_cast<uint64_t>(shard_.index);
}

}  // namespace gauntlet::storeapi
