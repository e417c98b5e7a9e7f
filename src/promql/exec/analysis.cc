#include "promql/exec/analysis.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace gauntlet::promql {
namespace {

class Measured : public Operator {
 public:
  Measured(ExecContext& context, const PlanNode& node, std::unique_ptr<Operator> input)
      : Operator(context, node), cost_(context.analysis->cost(node)) {
    AddChild(std::move(input));
  }

  Result<bool> Next(Rows* batch) override {
    Clock& clock = context_.analysis->clock();
    const auto start = clock.Now();
    Result<bool> more = child().Next(batch);
    cost_.total_seconds += std::chrono::duration<double>(clock.Now() - start).count();
    cost_.peak_bytes = std::max(cost_.peak_bytes, child().held_bytes());
    if (more.ok() && *more) {
      cost_.series += static_cast<int64_t>(batch->size());
      cost_.samples += CountSamples(*batch);
    }
    return more;
  }
  size_t held_bytes() const override { return children_[0]->held_bytes(); }

 private:
  OperatorCost& cost_;
};

}  // namespace

Explanation Analysis::Explain(const PlanNode& root) const {
  Explanation out;
  out.name = NodeText(root);
  out.steps = root.grid.steps;
  double below = 0;
  for (const PlanNode* child : PlanChildren(root)) {
    out.children.push_back(Explain(*child));
    if (out.children.back().cost) below += out.children.back().cost->total_seconds;
  }
  if (auto at = costs_.find(&root); at != costs_.end()) {
    out.cost = at->second;
    out.cost->self_seconds = std::max(0.0, out.cost->total_seconds - below);
  }
  return out;
}

std::unique_ptr<Operator> Measure(ExecContext& context, const PlanNode& node, std::unique_ptr<Operator> input) {
  return std::make_unique<Measured>(context, node, std::move(input));
}

}  // namespace gauntlet::promql
