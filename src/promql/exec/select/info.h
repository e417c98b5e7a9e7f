// info(): adds the labels of info metrics (target_info) to the series that share their job and instance.
//
// Upstream: prometheus promql/info.go
// Threads:  as Operator.

#pragma once

#include <memory>

#include "promql/exec/rows/operator.h"

namespace gauntlet::promql {

// node.args: what is to get labels, and the info series: a VectorSelectNode, within a StepInvariantNode when its time
// is fixed. The matchers of the selector choose the metrics by __name__ and the labels by all others.
std::unique_ptr<Operator> MakeInfo(ExecContext& context, const FunctionNode& node, std::unique_ptr<Operator> input,
                                   SampleScope* scope);

}  // namespace gauntlet::promql
