// What of a plan's postings is not worth reading: where a list is longer than the series entries that it would spare,
// the entries are read and matched instead.
//
// Upstream: thanos pkg/store/lazy_postings.go
// Threads:  free functions.

#pragma once

#include <cstdint>

#include "model/matcher.h"
#include "tsdb/index/matching.h"

namespace gauntlet::store {

struct LazyPostingsOptions {
  bool enabled = false;
  uint64_t series_bytes = 64 << 10;  // that an entry may have
  double match_ratio = 0.5;          // of series that a group of lists is expected to leave
  double keys_per_series_max = 100;  // of a group, to the series so far; 0 = no limit
};

struct PostponedPostings {
  Matchers matchers;             // to be tried on each series instead
  uint64_t list_bytes = 0;       // that are not read
  int by_size = 0, by_keys = 0;  // groups, by why
};

// Takes groups out of the plan. At least one group to intersect stays.
PostponedPostings PostponeCostly(const LazyPostingsOptions& options, const Matchers& matchers,
                                 tsdb::PostingsPlan* plan);

}  // namespace gauntlet::store
