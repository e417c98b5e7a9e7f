// EXPLAIN: a plan as a tree of lines, and what each of its operators cost when it was run.
//
// Upstream: thanos-io/promql-engine engine/explain.go
// Threads:  functions on values.

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "promql/plan/node.h"

namespace gauntlet::promql {

struct OperatorCost {
  double total_seconds = 0;  // with what is below it; of the thread that pulls
  double self_seconds = 0;   // without
  int64_t series = 0;        // yielded
  int64_t samples = 0;       // yielded: points at all steps
  size_t peak_bytes = 0;     // held by the operator itself
};

struct Explanation {
  std::string name;  // "sum by (job)", "select up{job=\"a\"}"
  uint32_t steps = 0;
  std::optional<OperatorCost> cost;  // of nodes that an operator of their own has run
  std::vector<Explanation> children;
};

// One node without what is below it.
std::string NodeText(const PlanNode& node);
// What lies deeper is left out.
inline constexpr int kExplanationDepthMax = 200;
Explanation Explain(const PlanNode& root);
// `add` completes each node's, after those of its children.
Explanation Explain(const PlanNode& root, const std::function<void(const PlanNode&, Explanation*)>& add, int depth = 0);
// One line per node, two spaces deeper per level.
std::string ExplanationText(const Explanation& explanation);

}  // namespace gauntlet::promql
