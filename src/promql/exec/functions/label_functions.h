// label_replace and label_join: other labels, the same values.
//
// Upstream: prometheus promql/functions.go (evalLabelReplace, evalLabelJoin), Go regexp (Expand)
// Threads:  as Operator.

#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "promql/exec/rows/operator.h"

namespace gauntlet::promql {

// `strings`: the string arguments, in order.
std::unique_ptr<Operator> MakeLabelReplace(ExecContext& context, const PlanNode& node, std::vector<std::string> strings,
                                           std::unique_ptr<Operator> input);
std::unique_ptr<Operator> MakeLabelJoin(ExecContext& context, const PlanNode& node, std::vector<std::string> strings,
                                        std::unique_ptr<Operator> input);

// Go's Regexp.Expand: $1, $name, ${name}, $$. `captures[0]` is the whole match; `names` those of the groups. What would
// be longer than `bytes_max` is at least so long, and need not be all.
std::string ExpandTemplate(std::string_view text, const std::vector<std::string_view>& captures,
                           const std::vector<std::string>& names, size_t bytes_max);

}  // namespace gauntlet::promql
