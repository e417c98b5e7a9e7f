// Optimizer: from a plan to one that answers the same for less: matchers propagated, aggregations
// that occur twice made once.
//
// Values, labels, order, annotations with their positions, and errors stay what they are. Only aggregations (and what
// is computed of them) are shared: their results are small, while other vectors pass by series by series and are never
// held.
//
// Threads: functions.

#pragma once

#include "promql/plan/node.h"

namespace gauntlet::promql {

// Between two plain selectors of `and` or `unless`: what one demands of a label that both must have alike, the other
// may be asked for as well. Where an operator could complain of series that then are not there, nothing is propagated.
void PropagateMatchers(PlanNode* root);
// Lets equal subtrees be one node, with PlanNode::uses telling how many it stands for.
void ShareSubtrees(PlanPtr* root);

}  // namespace gauntlet::promql
