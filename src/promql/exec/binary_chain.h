// A long chain of binary operators between vectors, evaluated from left to right: one operator after the other, each
// made when its turn comes, so that neither stacks nor storage see them all at once.
//
// Threads: as Operator.

#pragma once

#include <memory>
#include <vector>

#include "promql/exec/rows/operator.h"

namespace gauntlet::promql {

class Builder;

// `chain`: the last operator first, as PlanChain gives it. `builder` outlives the operator.
std::unique_ptr<Operator> MakeBinaryChain(ExecContext& context, Builder& builder, std::vector<const BinaryNode*> chain,
                                          SampleScope* scope);

}  // namespace gauntlet::promql
