// Leaves: the queriers below this one, as far as a plan must know them to give parts of itself away.
//
// Upstream: thanos pkg/query/remote_engine.go (labels and times of a remote engine)
// Threads:  immutable.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/labels.h"

namespace gauntlet::promql {

// Series behind a leaf: all of them have these labels.
struct LeafData {
  Labels labels;  // without those that tell replicas apart
  int64_t min_time_ms = 0, max_time_ms = 0;
};

struct Leaf {
  std::string name;           // its address
  bool answers_query = true;  // false: it has series but evaluates nothing, or cannot be asked now
  std::vector<LeafData> data;
};

struct Leaves {
  std::vector<Leaf> leaves;
  // Of --query.partition-label: by these alone leaves are told apart. Empty: by all.
  std::vector<std::string> partition_labels;
  // What a selector yields depends on the range that is asked for: replicas are merged.
  bool range_matters = false;
  // It depends on the function above it as well: downsampled data may be read.
  bool function_matters = false;
};

}  // namespace gauntlet::promql
