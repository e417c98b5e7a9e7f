// Functions of a value alone: abs, ln, sin, round, clamp, the parts of a date, timestamp.
//
// To add one: a line in a table of elementwise.cc or dates.cc.
//
// Upstream: prometheus promql/functions.go
// Threads:  stages are shared by all workers once open.

#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "promql/exec/rows/operator.h"
#include "promql/exec/rows/stage.h"

namespace gauntlet::promql {

// Null when `node` is not such a function. `args`: the scalar arguments. `careful`: see NameDropper.
std::unique_ptr<Stage> MakeElementwise(ExecContext& context, const FunctionNode& node,
                                       std::vector<std::unique_ptr<ScalarOperator>> args, bool careful);
// The same values without the name.
std::unique_ptr<Stage> MakeDropName(ExecContext& context, bool careful);
// No rows at all.
std::unique_ptr<Stage> MakeNothing();
// -v.
std::unique_ptr<Stage> MakeNegate(ExecContext& context, bool careful);

using ValueFunction = double (*)(double);
// minute, hour, ..., of seconds since the epoch; null when there is no such function.
ValueFunction FindDateFunction(std::string_view name);

}  // namespace gauntlet::promql
