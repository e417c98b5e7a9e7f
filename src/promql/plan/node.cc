#include "promql/plan/node.h"

#include <utility>

#include "model/labels.h"

namespace gauntlet::promql {

BinaryNode::~BinaryNode() {
  // The last owner of a chain takes it apart from the top.
  for (PlanPtr node = std::move(lhs); node != nullptr && node->kind == PlanKind::kBinary && node.use_count() == 1;) {
    PlanPtr next = std::move(static_cast<BinaryNode&>(*node).lhs);
    node = std::move(next);
  }
}

std::vector<const BinaryNode*> PlanChain(const BinaryNode& top) {
  std::vector<const BinaryNode*> chain = {&top};
  while (chain.back()->lhs->kind == PlanKind::kBinary && chain.back()->lhs->uses == 1) {
    chain.push_back(static_cast<const BinaryNode*>(chain.back()->lhs.get()));
  }
  return chain;
}

const SelectSpec* SelectOf(const PlanNode& node) {
  bool selects = node.kind == PlanKind::kVectorSelect || node.kind == PlanKind::kMatrixSelect;
  return selects ? &static_cast<const SelectNode&>(node).select : nullptr;
}

std::vector<const PlanNode*> PlanChildren(const PlanNode& node) {
  std::vector<const PlanNode*> out;
  auto add = [&out](const PlanPtr& child) {
    if (child != nullptr) out.push_back(child.get());
  };
  switch (node.kind) {
    case PlanKind::kNumber:
    case PlanKind::kString:
    case PlanKind::kVectorSelect:
    case PlanKind::kMatrixSelect:
      break;
    case PlanKind::kSubquery:
      add(static_cast<const SubqueryNode&>(node).expr);
      break;
    case PlanKind::kFunction:
      for (const PlanPtr& arg : static_cast<const FunctionNode&>(node).args) add(arg);
      break;
    case PlanKind::kRangeFunction: {
      const auto& call = static_cast<const RangeFunctionNode&>(node);
      add(call.range);
      for (const PlanPtr& arg : call.args) add(arg);
      break;
    }
    case PlanKind::kAggregate: {
      const auto& aggregate = static_cast<const AggregateNode&>(node);
      add(aggregate.param);
      add(aggregate.expr);
      break;
    }
    case PlanKind::kBinary: {
      const auto& binary = static_cast<const BinaryNode&>(node);
      add(binary.lhs);
      add(binary.rhs);
      break;
    }
    case PlanKind::kNegate:
      add(static_cast<const NegateNode&>(node).expr);
      break;
    case PlanKind::kStepInvariant:
      add(static_cast<const StepInvariantNode&>(node).expr);
      break;
    case PlanKind::kRemote:
      add(static_cast<const RemoteNode&>(node).expr);
      break;
  }
  return out;
}

std::string_view PlanOperatorName(const PlanNode& node) {
  switch (node.kind) {
    case PlanKind::kNumber:
      return "number";
    case PlanKind::kString:
      return "string";
    case PlanKind::kVectorSelect:
      return "select";
    case PlanKind::kMatrixSelect:
      return "range select";
    case PlanKind::kSubquery:
      return "subquery";
    case PlanKind::kFunction:
      return static_cast<const FunctionNode&>(node).function->name;
    case PlanKind::kRangeFunction:
      return static_cast<const RangeFunctionNode&>(node).function->name;
    case PlanKind::kAggregate:
      return AggregateOpText(static_cast<const AggregateNode&>(node).op);
    case PlanKind::kBinary:
      return BinaryOpText(static_cast<const BinaryNode&>(node).op);
    case PlanKind::kNegate:
      return "-";
    case PlanKind::kStepInvariant:
      return "step invariant";
    case PlanKind::kRemote:
      return "remote";
  }
  return "";
}

bool HasOneName(const Matchers& matchers) {
  return std::any_of(matchers.begin(), matchers.end(),
                     [](const Matcher& m) { return m.name() == kMetricName && m.type() == MatchType::kEqual; });
}

std::string SelectorText(const Matchers& matchers) {
  const Matcher* name = nullptr;
  for (const Matcher& m : matchers) {
    if (m.name() == kMetricName && m.type() == MatchType::kEqual && IsLegacyMetricName(m.value())) {
      if (name != nullptr) return MatchersToString(matchers);  // two names: neither is special
      name = &m;
    }
  }
  if (name == nullptr) return MatchersToString(matchers);
  Matchers rest;
  for (const Matcher& m : matchers) {
    if (&m != name) rest.push_back(m);
  }
  return name->value() + (rest.empty() ? "" : MatchersToString(rest));
}

}  // namespace gauntlet::promql
