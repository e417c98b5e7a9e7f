// Optimizer: from a plan to one that answers the same for less: aggregations that occur twice are made once.
//
// Values, labels, order, annotations with their positions, and errors stay what they are. Only aggregations (and what
// is computed of them) are shared: their results are small, while other vectors pass by series by series and are never
// held.
//
// Threads: functions.

#pragma once

#include "promql/plan/node.h"

namespace gauntlet::promql {

// Lets equal subtrees be one node, with PlanNode::uses telling how many it stands for.
void ShareSubtrees(PlanPtr* root);

}  // namespace gauntlet::promql
