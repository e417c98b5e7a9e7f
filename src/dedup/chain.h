// Chain: the union of the replicas by time, one sample for each time. For sources that are parts of one whole.
//
// Which sample wins at equal times follows from the order of a binary heap, as upstream: compaction must choose the
// same. With two replicas in step it is the second one's.
//
// Upstream: prometheus storage/merge.go (chainSampleIterator)
// Threads:  a function.

#pragma once

#include <span>

#include "model/samples.h"

namespace gauntlet::dedup {

// Appends the union to `out`. Histograms whose neighbour came from elsewhere lose their reset hint.
void ChainReplicas(std::span<const Samples* const> replicas, Samples* out);

}  // namespace gauntlet::dedup
