// Functions of a whole vector: absent, sort; and the operators that change grids: repetition of a step-invariant part,
// the inside of a subquery.
//
// Upstream: prometheus promql/functions.go (funcAbsent, funcSort), engine.go (StepInvariantExpr, evalSubquery)
// Threads:  as Operator.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "promql/exec/rows/operator.h"

namespace gauntlet::promql {

// absent and absent_over_time: 1 where no series has anything. `selector`: of the argument, null when it is none.
std::unique_ptr<Operator> MakeAbsent(ExecContext& context, const PlanNode& node, const Matchers* selector,
                                     bool over_time, std::unique_ptr<Operator> input);

// sort, sort_desc, sort_by_label, sort_by_label_desc.
enum class SortOrder : uint8_t { kByValue, kByLabels };
std::unique_ptr<Operator> MakeSort(ExecContext& context, const PlanNode& node, SortOrder order, bool descending,
                                   std::vector<std::string> labels, std::unique_ptr<Operator> input);

// Rows of one step, repeated at all steps of node's grid. `inner` counts below, `outer` here.
std::unique_ptr<Operator> MakeRepeat(ExecContext& context, const PlanNode& node, std::unique_ptr<Operator> input,
                                     std::unique_ptr<SampleScope> inner, SampleScope* outer);

// Passes on the rows inside a subquery; at their end `outer` learns what was read, and, where these rows are the
// result, what was seen. (A function counts what its windows see.)
std::unique_ptr<Operator> MakeSubqueryInput(ExecContext& context, const SubqueryNode& node,
                                            std::unique_ptr<Operator> input, std::unique_ptr<SampleScope> inner,
                                            SampleScope* outer, bool is_result);

// Natural order: runs of digits compare as numbers.
bool NaturalLess(std::string_view a, std::string_view b);

}  // namespace gauntlet::promql
