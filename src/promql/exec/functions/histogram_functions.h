// histogram_quantile, histogram_fraction and histogram_quantiles, over classic buckets and native histograms.
//
// Upstream: prometheus promql/functions.go (funcHistogramQuantile), engine.go (resetHistograms)
// Threads:  as Operator.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "promql/exec/rows/operator.h"

namespace gauntlet::promql {

// `args`: the scalar arguments. `label`: of histogram_quantiles, else empty.
std::unique_ptr<Operator> MakeHistogramFunction(ExecContext& context, const FunctionNode& node,
                                                std::vector<std::unique_ptr<ScalarOperator>> args, std::string label,
                                                std::unique_ptr<Operator> input);

}  // namespace gauntlet::promql
