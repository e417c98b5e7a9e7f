// Distribution: from a plan to one whose parts are evaluated by leaves, where that gives the same answer.
//
// A part goes to the leaves as text: the query's own, with blanks before it, so that what a leaf says about a place in
// the query is about the same place here. It goes only if
//  - every leaf that may have series for it can be asked, and any two of these differ in a label that all of their
//    series have, so that no series is in both;
//  - it keeps these labels in its result, so that the answers together are the answer; or it is a sum, avg, min, max,
//    count or group of such, which is taken once by each leaf and once more here;
//  - the plan that a leaf makes of the text is the plan that was made here: no default of a leaf has a part in it.
// The rest is evaluated here, by series from the leaves.
//
// What can be seen in the answers alone (a sum near overflow, ties below topk, ...) is RemoteNode::check; the query is
// then evaluated again without leaves.
//
// Upstream: thanos-io/promql-engine logicalplan/distribute.go, which gives more away and other answers
// Threads:  a function.

#pragma once

#include <string_view>

#include "promql/plan/leaves.h"
#include "promql/plan/planner.h"

namespace gauntlet::promql {

// `plan` is of `query` with `options`, not optimized yet.
void Distribute(const Leaves& leaves, std::string_view query, const PlanOptions& options, Plan* plan);

}  // namespace gauntlet::promql
