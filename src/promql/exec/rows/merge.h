// Merging: series that are equal once they lost their names or had labels changed are one series, if never at one step.
//
// Upstream: prometheus promql/engine.go (rangeEval's output, mergeSeriesWithSameLabelset, ContainsSameLabelset)
// Threads:  as Operator.

#pragma once

#include <cstdint>
#include <memory>

#include "promql/exec/rows/operator.h"

namespace gauntlet::promql {

// Whether a merged series is to lose its name is for the row that begins first to say, or for the first row.
enum class MergedName : uint8_t { kOfFirstStep, kOfFirstRow };

// Joins rows of equal labels into the first of them. kInvalid when two have something at the same step. (Where a float
// meets a histogram, upstream's label functions and unary minus give a series with both, which nothing can read.)
Status MergeSameLabels(const ExecContext& context, Rows* rows, MergedName name);
// Adds what `other` has to `column`; kInvalid when both have something at one step.
Status MergeColumns(const ExecContext& context, Column* column, Column&& other);

// Holds all rows of its input and merges them.
std::unique_ptr<Operator> MakeMerge(ExecContext& context, const PlanNode& node, std::unique_ptr<Operator> input);
// Passes rows on; kInvalid when two are equal.
std::unique_ptr<Operator> MakeUnique(ExecContext& context, const PlanNode& node, std::unique_ptr<Operator> input);

}  // namespace gauntlet::promql
