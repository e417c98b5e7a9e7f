#include "promql/plan/optimizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "model/labels.h"
#include "promql/plan/plan_key.h"

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
    case PlanKind::kRemote:  // what is below is not evaluated here
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

// Walks do not recurse: chains of operators are deep. Puts entries for the children so that the first is taken first.
template <typename Entry, typename F>
void PushChildren(PlanNode& node, std::vector<Entry>* waiting, F&& entry) {
  const size_t first = waiting->size();
  ForEachSlot(node, [&](PlanPtr& child) { waiting->push_back(entry(child)); });
  std::reverse(waiting->begin() + static_cast<ptrdiff_t>(first), waiting->end());
}

// All nodes, each before those below it.
std::vector<PlanNode*> NodesOf(PlanNode* root) {
  std::vector<PlanNode*> nodes, waiting = {root};
  while (!waiting.empty()) {
    PlanNode* node = waiting.back();
    waiting.pop_back();
    nodes.push_back(node);
    PushChildren(*node, &waiting, [](PlanPtr& child) { return child.get(); });
  }
  return nodes;
}

// Adds to `to` those of `from` that are about labels by which both sides match.
void AddMatchers(const VectorMatching& matching, const Matchers& from, Matchers* to) {
  for (const Matcher& m : from) {
    const bool named = std::find(matching.labels.begin(), matching.labels.end(), m.name()) != matching.labels.end();
    const bool matches = matching.on ? named : !named && m.name() != kMetricName;
    if (matches && std::find(to->begin(), to->end(), m) == to->end()) to->push_back(m);
  }
}

// Between two plain selectors of `and` or `unless`.
void PropagateBetween(BinaryNode& binary) {
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

class Sharer {
 public:
  void Run(PlanPtr* root) {
    std::vector<PlanNode*> nodes = NodesOf(root->get());
    // Children come after their parents, so from the back they are first.
    for (size_t i = nodes.size(); i-- > 0;) Number(*nodes[i]);
    if (facts_.at(root->get()).aggregates < 2) return;
    CountOccurrences(root);
    Replace(root);
  }

 private:
  struct Facts {
    uint32_t number = 0;      // equal for equal subtrees
    uint32_t aggregates = 0;  // aggregations of selected series within it
    bool selects = false;
    bool small = false;  // an aggregation, or computed of such
  };

  // REQUIRES: its children have been numbered.
  void Number(PlanNode& node) {
    std::string key = fmt::format("{} {} {} {} [{}]", static_cast<int>(node.kind), node.grid.start_ms,
                                  node.grid.step_ms, node.grid.steps, OwnKey(node));
    Facts facts;
    const bool leaf = node.kind == PlanKind::kVectorSelect || node.kind == PlanKind::kMatrixSelect;
    const PlanNode* remote = node.kind == PlanKind::kRemote ? static_cast<RemoteNode&>(node).expr.get() : nullptr;
    facts.selects = leaf || remote != nullptr;
    bool all_small = true;
    ForEachSlot(node, [&](PlanPtr& child) {
      const Facts& below = facts_.at(child.get());
      key += fmt::format(" {}", below.number);
      facts.aggregates += below.aggregates;
      facts.selects = facts.selects || below.selects;
      all_small = all_small && (below.small || !below.selects);
    });
    const bool aggregate = facts.selects && Reduces(remote != nullptr ? *remote : node);
    facts.aggregates += aggregate;
    facts.small = aggregate || (facts.selects && !leaf && remote == nullptr && all_small);
    facts.number = numbers_.try_emplace(std::move(key), static_cast<uint32_t>(numbers_.size())).first->second;
    facts_[&node] = facts;
  }

  // Few series come of many; topk and its like keep whole series.
  static bool Reduces(const PlanNode& node) {
    if (node.kind != PlanKind::kAggregate) return false;
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
  void CountOccurrences(PlanPtr* root) {
    struct Entry {
      PlanPtr* slot;
      bool counts;  // it is not within one that will go
    };
    std::vector<Entry> waiting = {{root, true}};
    while (!waiting.empty()) {
      auto [slot, counts] = waiting.back();
      waiting.pop_back();
      if (MayShare(**slot)) {
        Occurrences& found = occurrences_[facts_.at(slot->get()).number];
        found.last = *slot;
        if (counts) counts = ++found.count == 1;
      }
      PushChildren(**slot, &waiting, [counts](PlanPtr& child) { return Entry{&child, counts}; });
    }
  }

  void Replace(PlanPtr* root) {
    std::vector<PlanPtr*> waiting = {root};
    while (!waiting.empty()) {
      PlanPtr* slot = waiting.back();
      waiting.pop_back();
      if (MayShare(**slot)) {
        Occurrences& found = occurrences_.at(facts_.at(slot->get()).number);
        if (found.count > 1) {
          *slot = found.last;
          (*slot)->uses = found.count;
          if (std::exchange(found.replaced, true)) continue;
        }
      }
      PushChildren(**slot, &waiting, [](PlanPtr& child) { return &child; });
    }
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
  for (PlanNode* node : NodesOf(root)) {
    if (node->kind == PlanKind::kBinary) PropagateBetween(static_cast<BinaryNode&>(*node));
  }
}

void ShareSubtrees(PlanPtr* root) { Sharer().Run(root); }

}  // namespace gauntlet::promql
