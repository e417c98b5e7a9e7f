// Optimizer: from a plan to one that answers the same for less: matchers propagated, what occurs twice made once.
//
// Values, labels, order, annotations with their positions, and errors stay what they are. Shared are aggregations (and
// what is computed of them), whose results are small, and selectors between which there is no aggregation: other
// vectors pass by series by series and are never held.
//
// Threads: functions.

#pragma once

#include "promql/plan/node.h"

namespace gauntlet::promql {

// Between two plain selectors of `and`, `unless`, arithmetic or a comparison: what one demands of a label that both
// must have alike, the other may be asked for as well. Where an operator could complain of series that then are not
// there, nothing is propagated. `names_alone`: series of one metric differ in more than what arithmetic ignores
// (type-and-unit labels are off).
void PropagateMatchers(PlanNode* root, bool names_alone = true);
// Lets equal subtrees be one node, with PlanNode::uses telling how many it stands for.
void ShareSubtrees(PlanPtr* root);

}  // namespace gauntlet::promql
