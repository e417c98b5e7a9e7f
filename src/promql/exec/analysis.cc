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
  return promql::Explain(root, [this](const PlanNode& node, Explanation* out) {
    auto at = costs_.find(&node);
    if (at == costs_.end()) return;
    double below = 0;
    for (const Explanation& child : out->children) {
      if (child.cost) below += child.cost->total_seconds;
    }
    out->cost = at->second;
    out->cost->self_seconds = std::max(0.0, out->cost->total_seconds - below);
  });
}

std::unique_ptr<Operator> Measure(ExecContext& context, const PlanNode& node, std::unique_ptr<Operator> input) {
  return std::make_unique<Measured>(context, node, std::move(input));
}

}  // namespace gauntlet::promql
