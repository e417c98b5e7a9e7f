// Penalty: Thanos' own way of merging replicas, sample for sample, kept so that answers stay the same.
//
// Two replicas are walked side by side; the earlier sample wins, and the loser must leave twice the time of the last
// step before it may win again (5 s at the start). More than two are folded from the left. Known to lose samples, and
// to show resets that no replica has when the function is not known: stitch.h does better.
//
// Upstream: thanos pkg/dedup/iter.go (dedupSeriesIterator)
// Threads:  a function.

#pragma once

#include <span>

#include "model/samples.h"

namespace gauntlet::dedup {

// Appends the merged samples to `out`. `counter`: the values feed a counter function; where a switch of replicas would
// lower the value, what follows is raised.
void MergeWithPenalty(std::span<const Samples* const> replicas, bool counter, Samples* out);

}  // namespace gauntlet::dedup
