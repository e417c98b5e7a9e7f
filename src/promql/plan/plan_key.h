// Plan keys: what a plan computes, as text: equal for equal plans, wherever in the query they come from.
//
// Threads: functions.

#pragma once

#include <string>

#include "promql/plan/node.h"

namespace gauntlet::promql {

// What of a selector's hints makes it another one.
struct SelectKeyParts {
  bool range = true;     // from when to when it reads
  bool function = true;  // the function above it
  bool others = true;    // step and grouping, and whether buckets are wanted
};

// What a node is, apart from its children and its place in the query.
std::string OwnKey(const PlanNode& node, const SelectKeyParts& parts = {});
// With all that is below, and the steps; the length of the step counts where there are several.
std::string PlanKey(const PlanNode& node, const SelectKeyParts& parts = {});

}  // namespace gauntlet::promql
