#include "promql/plan/optimizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <string>
#include <unordered_map>
#include <utility>

#include "model/labels.h"

namespace gauntlet::promql {
namespace {

template <typename F>
void ForEachSlot(PlanNode& node, F&& f) {
  auto visit = [&f](PlanPtr& slot) {
    if (slot != nullptr) f(slot);
  };
  switch (node.kind) {
    case PlanKind::kNumber:
    case PlanKind::kString:
    case PlanKind::kVectorSelect:
    case PlanKind::kMatrixSelect:
      return;
    case PlanKind::kSubquery:
      return visit(static_cast<SubqueryNode&>(node).expr);
    case PlanKind::kFunction:
      for (PlanPtr& arg : static_cast<FunctionNode&>(node).args) visit(arg);
      return;
    case PlanKind::kRangeFunction:
      visit(static_cast<RangeFunctionNode&>(node).range);
      for (PlanPtr& arg : static_cast<RangeFunctionNode&>(node).args) visit(arg);
      return;
    case PlanKind::kAggregate:
      visit(static_cast<AggregateNode&>(node).param);
      return visit(static_cast<AggregateNode&>(node).expr);
    case PlanKind::kBinary:
      visit(static_cast<BinaryNode&>(node).lhs);
      return visit(static_cast<BinaryNode&>(node).rhs);
    case PlanKind::kNegate:
      return visit(static_cast<NegateNode&>(node).expr);
    case PlanKind::kStepInvariant:
      return visit(static_cast<StepInvariantNode&>(node).expr);
  }
}

std::string Quoted(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += GoQuote(name);
  return text;
}

std::string SelectKey(const SelectSpec& s) {
  return fmt::format("{} {} {} {} {} {} {} {}", MatchersToString(s.matchers), s.start_ms, s.end_ms, s.step_ms,
                     s.range_ms, s.func, Quoted(s.grouping), s.by);
}

std::string MatchingKey(const VectorMatching& m) {
  auto fill = [](const std::optional<double>& v) { return v ? fmt::format("{:x}", std::bit_cast<uint64_t>(*v)) : ""; };
  return fmt::format("{} {} {} {} {} {}", static_cast<int>(m.card), Quoted(m.labels), m.on, Quoted(m.include),
                     fill(m.fill_left), fill(m.fill_right));
}

// What a node is, apart from its children and its place in the query.
std::string OwnKey(const PlanNode& node) {
  switch (node.kind) {
    case PlanKind::kNumber:
      return fmt::format("{:x}", std::bit_cast<uint64_t>(static_cast<const NumberNode&>(node).value));
    case PlanKind::kString:
      return GoQuote(static_cast<const StringNode&>(node).value);
    case PlanKind::kVectorSelect: {
      const auto& n = static_cast<const VectorSelectNode&>(node);
      return fmt::format("{} {} {} {}", SelectKey(n.select), n.shift_ms, n.lookback_ms, n.smoothed);
    }
    case PlanKind::kMatrixSelect: {
      const auto& n = static_cast<const MatrixSelectNode&>(node);
      return fmt::format("{} {} {} {} {} {} {}", SelectKey(n.select), n.shift_ms, n.range_ms, n.lookback_ms, n.fixed,
                         n.anchored, n.smoothed);
    }
    case PlanKind::kSubquery: {
      const auto& n = static_cast<const SubqueryNode&>(node);
      return fmt::format("{} {} {}", n.shift_ms, n.range_ms, n.fixed);
    }
    case PlanKind::kFunction:
      return std::string(static_cast<const FunctionNode&>(node).function->name);
    case PlanKind::kRangeFunction:
      return std::string(static_cast<const RangeFunctionNode&>(node).function->name);
    case PlanKind::kAggregate: {
      const auto& n = static_cast<const AggregateNode&>(node);
      return fmt::format("{} {} {}", static_cast<int>(n.op), Quoted(n.grouping), n.without);
    }
    case PlanKind::kBinary: {
      const auto& n = static_cast<const BinaryNode&>(node);
      return fmt::format("{} {} {}", static_cast<int>(n.op), n.return_bool, n.matching ? MatchingKey(*n.matching) : "");
    }
    case PlanKind::kNegate:
    case PlanKind::kStepInvariant:
      return "";
  }
  return "";
}

// Adds to `to` those of `from` that are about labels by which both sides match.
void AddMatchers(const VectorMatching& matching, const Matchers& from, Matchers* to) {
  for (const Matcher& m : from) {
    const bool named = std::find(matching.labels.begin(), matching.labels.end(), m.name()) != matching.labels.end();
    const bool matches = matching.on ? named : !named && m.name() != kMetricName;
    if (matches && std::find(to->begin(), to->end(), m) == to->end()) to->push_back(m);
  }
}

class Sharer {
 public:
  void Run(PlanPtr* root) {
    if (Number(**root).aggregates < 2) return;
    Visit(*root, true);
    Replace(root);
  }

 private:
  struct Facts {
    uint32_t number = 0;      // equal for equal subtrees
    uint32_t aggregates = 0;  // aggregations of selected series within it
    bool selects = false;
    bool small = false;  // an aggregation, or computed of such
  };

  const Facts& Number(PlanNode& node) {
    std::string key = fmt::format("{} {} {} {} [{}]", static_cast<int>(node.kind), node.grid.start_ms,
                                  node.grid.step_ms, node.grid.steps, OwnKey(node));
    Facts facts;
    facts.selects = node.kind == PlanKind::kVectorSelect || node.kind == PlanKind::kMatrixSelect;
    bool all_small = true;
    ForEachSlot(node, [&](PlanPtr& child) {
      const Facts& below = Number(*child);
      key += fmt::format(" {}", below.number);
      facts.aggregates += below.aggregates;
      facts.selects = facts.selects || below.selects;
      all_small = all_small && (below.small || !below.selects);
    });
    const bool leaf = node.kind == PlanKind::kVectorSelect || node.kind == PlanKind::kMatrixSelect;
    const bool aggregate = node.kind == PlanKind::kAggregate && facts.selects && Reduces(node);
    facts.aggregates += aggregate;
    facts.small = aggregate || (facts.selects && !leaf && all_small);
    facts.number = numbers_.try_emplace(std::move(key), static_cast<uint32_t>(numbers_.size())).first->second;
    return facts_[&node] = facts;
  }

  // topk and its like keep whole series.
  static bool Reduces(const PlanNode& node) {
    switch (static_cast<const AggregateNode&>(node).op) {
      case AggregateOp::kTopK:
      case AggregateOp::kBottomK:
      case AggregateOp::kLimitK:
      case AggregateOp::kLimitRatio:
      case AggregateOp::kCountValues:
        return false;
      default:
        return true;
    }
  }

  bool MayShare(const PlanNode& node) const { return node.type == ValueType::kVector && facts_.at(&node).small; }

  // Counts the occurrences that will be met once equal ones are one, and keeps the last of them: of messages with the
  // same text, the last place is the one that is told.
  void Visit(PlanPtr& slot, bool counts) {
    if (MayShare(*slot)) {
      Occurrences& found = occurrences_[facts_.at(slot.get()).number];
      found.last = slot;
      if (counts) counts = ++found.count == 1;
    }
    ForEachSlot(*slot, [&](PlanPtr& child) { Visit(child, counts); });
  }

  void Replace(PlanPtr* slot) {
    if (MayShare(**slot)) {
      Occurrences& found = occurrences_.at(facts_.at(slot->get()).number);
      if (found.count > 1) {
        *slot = found.last;
        (*slot)->uses = found.count;
        if (std::exchange(found.replaced, true)) return;
      }
    }
    ForEachSlot(**slot, [&](PlanPtr& child) { Replace(&child); });
  }

  struct Occurrences {
    uint32_t count = 0;
    PlanPtr last;
    bool replaced = false;
  };
  std::unordered_map<std::string, uint32_t> numbers_;
  std::unordered_map<const PlanNode*, Facts> facts_;
  std::unordered_map<uint32_t, Occurrences> occurrences_;
};

}  // namespace

void PropagateMatchers(PlanNode* root) {
  ForEachSlot(*root, [](PlanPtr& child) { PropagateMatchers(child.get()); });
  if (root->kind != PlanKind::kBinary) return;
  auto& binary = static_cast<BinaryNode&>(*root);
  const bool both = binary.op == BinaryOp::kAnd;
  if ((!both && binary.op != BinaryOp::kUnless) || binary.lhs->kind != PlanKind::kVectorSelect ||
      binary.rhs->kind != PlanKind::kVectorSelect) {
    return;
  }
  Matchers& lhs = static_cast<VectorSelectNode&>(*binary.lhs).select.matchers;
  Matchers& rhs = static_cast<VectorSelectNode&>(*binary.rhs).select.matchers;
  const Matchers of_lhs = lhs;
  if (both) AddMatchers(*binary.matching, rhs, &lhs);
  AddMatchers(*binary.matching, of_lhs, &rhs);
}

void ShareSubtrees(PlanPtr* root) { Sharer().Run(root); }

}  // namespace gauntlet::promql
