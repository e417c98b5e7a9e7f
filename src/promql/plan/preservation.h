// Preservation: what a part of a plan keeps of the series below it. Where a leaf's series alone decide the result and
// it keeps the labels that tell the leaf apart, the answers of the leaves together are the answer.
//
// Threads: functions.

#pragma once

#include "promql/plan/node.h"
#include "promql/plan/partition.h"

namespace gauntlet::promql {

// Whether a leaf's series alone decide what comes of them, and keep the labels that tell the leaf apart.
bool Preserves(const PlanNode& node, const Partition& partition);

// The selector whose series these are one by one, in its order; null when there is none.
const SelectSpec* SeriesOf(const PlanNode& node);

}  // namespace gauntlet::promql
