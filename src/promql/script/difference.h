// Difference: what a script expects of a query and what it got, line by line, where they differ.
//
// Threads: functions.

#pragma once

#include <string>
#include <vector>

#include "promql/engine/result.h"
#include "promql/script/script.h"

namespace gauntlet::promql {

// Lines "- METRIC VALUES" that are expected and missing, and "+ METRIC VALUES" that were not expected, in the form of
// the scripts; a limited number of each. `step`: of a vector, or of a range query compared as one.
std::vector<std::string> Difference(const EvalCommand& eval, const QueryResult& result, uint32_t step);

}  // namespace gauntlet::promql
