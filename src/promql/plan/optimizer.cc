#include "promql/plan/optimizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
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

// Whether series that match no other may be left out unseen. Arithmetic complains of two series of one group even then:
// but with all labels compared, and one metric on either side, there can be no two.
bool LeavesOutUnmatched(const BinaryNode& binary, bool names_alone) {
  if (binary.op == BinaryOp::kAnd || binary.op == BinaryOp::kUnless) return true;
  if (binary.op == BinaryOp::kOr || !names_alone) return false;
  const VectorMatching& m = *binary.matching;
  return !m.on && m.labels.empty() && !m.fill_left && !m.fill_right &&
         HasOneName(static_cast<const VectorSelectNode&>(*binary.lhs).select.matchers) &&
         HasOneName(static_cast<const VectorSelectNode&>(*binary.rhs).select.matchers);
}

// Between two plain selectors.
void PropagateBetween(BinaryNode& binary, bool names_alone) {
  if (binary.lhs->kind != PlanKind::kVectorSelect || binary.rhs->kind != PlanKind::kVectorSelect) return;
  if (!LeavesOutUnmatched(binary, names_alone)) return;
  // A smoothed one may have something to say of each series that it reads.
  for (const PlanNode* side : {binary.lhs.get(), binary.rhs.get()}) {
    if (static_cast<const VectorSelectNode*>(side)->smoothed) return;
  }
  const bool both = binary.op != BinaryOp::kUnless;
  Matchers& lhs = static_cast<VectorSelectNode&>(*binary.lhs).select.matchers;
  Matchers& rhs = static_cast<VectorSelectNode&>(*binary.rhs).select.matchers;
  const Matchers of_lhs = lhs;
  if (both) AddMatchers(*binary.matching, rhs, &lhs);
  AddMatchers(*binary.matching, of_lhs, &rhs);
}

// What reads series and hands them on one by one.
bool IsScan(const PlanNode& node) {
  if (node.type != ValueType::kVector) return false;
  if (node.kind == PlanKind::kVectorSelect || node.kind == PlanKind::kRemote) return true;
  return node.kind == PlanKind::kRangeFunction &&
         static_cast<const RangeFunctionNode&>(node).range->kind == PlanKind::kMatrixSelect;
}

// Few series come of many; topk and its like keep whole series.
bool Reduces(const PlanNode& node) {
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

// Lets series pass by without being held: what is below is not to be held for somebody else's sake either.
bool Streams(const PlanNode& node) {
  if (node.kind == PlanKind::kAggregate || node.kind == PlanKind::kSubquery) return true;
  if (node.kind != PlanKind::kFunction) return false;
  std::string_view name = static_cast<const FunctionNode&>(node).function->name;
  return name == "scalar" || name == "absent";
}

// Whether an operator looks at the selector of its child, not at what that yields.
bool ReadsSelector(const PlanNode& node, const PlanNode& child) {
  if (node.kind != PlanKind::kFunction) return false;
  const auto& call = static_cast<const FunctionNode&>(node);
  if (call.function->name == "info") return &child != call.args[0].get();
  return call.function->name.ends_with("timestamp") && child.kind == PlanKind::kVectorSelect;
}

class Sharer {
 public:
  void Run(PlanPtr* root) {
    std::vector<PlanNode*> nodes = NodesOf(root->get());
    // Children come after their parents, so from the back they are first.
    for (size_t i = nodes.size(); i-- > 0;) Number(*nodes[i]);
    if (facts_.at(root->get()).candidates < 2) return;
    CountOccurrences(root);
    Replace(root);
  }

 private:
  struct Facts {
    uint32_t number = 0;      // equal for equal subtrees
    uint32_t candidates = 0;  // that might be shared, within it
    bool selects = false;
    bool small = false;  // an aggregation, or computed of such
  };
  // A node to be visited.
  struct Entry {
    PlanPtr* slot;
    bool counts;            // it is not within one that will go
    const PlanNode* scope;  // the nearest above it that Streams; null at the top
  };
  using Key = std::pair<uint32_t, const PlanNode*>;
  struct Occurrences {
    uint32_t count = 0;
    PlanPtr last;
    bool replaced = false;
  };

  // REQUIRES: its children have been numbered.
  void Number(PlanNode& node) {
    std::string key = fmt::format("{} {} {} {}{} [{}]", static_cast<int>(node.kind), node.grid.start_ms,
                                  node.grid.step_ms, node.grid.steps, node.grid.ranged ? "r" : "", OwnKey(node));
    Facts facts;
    const bool leaf = node.kind == PlanKind::kVectorSelect || node.kind == PlanKind::kMatrixSelect;
    const PlanNode* remote = node.kind == PlanKind::kRemote ? static_cast<RemoteNode&>(node).expr.get() : nullptr;
    facts.selects = leaf || remote != nullptr;
    bool all_small = true;
    ForEachSlot(node, [&](PlanPtr& child) {
      const Facts& below = facts_.at(child.get());
      key += fmt::format(" {}", below.number);
      facts.candidates += below.candidates;
      facts.selects = facts.selects || below.selects;
      all_small = all_small && (below.small || !below.selects);
    });
    const bool aggregate = facts.selects && Reduces(remote != nullptr ? *remote : node);
    facts.candidates += aggregate || IsScan(node);
    facts.small = aggregate || (facts.selects && !leaf && remote == nullptr && all_small);
    facts.number = numbers_.try_emplace(std::move(key), static_cast<uint32_t>(numbers_.size())).first->second;
    facts_[&node] = facts;
  }

  // What a node might be shared as. Small results may be held; the series of a scan only where the place that wants
  // them, an operator between vectors, holds as many anyway: not for the other side of sum(x) / count(x).
  std::optional<Key> KeyOf(const Entry& entry) const {
    const PlanNode& node = **entry.slot;
    if (node.type != ValueType::kVector) return std::nullopt;
    const Facts& facts = facts_.at(&node);
    if (facts.small) return Key{facts.number, nullptr};
    if (IsScan(node)) return Key{facts.number, entry.scope};
    return std::nullopt;
  }

  void PushBelow(const Entry& entry, bool counts, std::vector<Entry>* waiting) {
    PlanNode& node = **entry.slot;
    const PlanNode* scope = Streams(node) ? &node : entry.scope;
    const size_t first = waiting->size();
    ForEachSlot(node, [&](PlanPtr& child) {
      if (!ReadsSelector(node, *child)) waiting->push_back({&child, counts, scope});
    });
    std::reverse(waiting->begin() + static_cast<ptrdiff_t>(first), waiting->end());
  }

  // Counts the occurrences that will be met once equal ones are one, and keeps the last of them: of messages with the
  // same text, the last place is the one that is told.
  void CountOccurrences(PlanPtr* root) {
    std::vector<Entry> waiting = {{root, true, nullptr}};
    while (!waiting.empty()) {
      const Entry entry = waiting.back();
      waiting.pop_back();
      bool counts = entry.counts;
      if (std::optional<Key> key = KeyOf(entry)) {
        Occurrences& found = occurrences_[*key];
        found.last = *entry.slot;
        if (counts) counts = ++found.count == 1;
      }
      PushBelow(entry, counts, &waiting);
    }
  }

  void Replace(PlanPtr* root) {
    std::vector<Entry> waiting = {{root, true, nullptr}};
    while (!waiting.empty()) {
      const Entry entry = waiting.back();
      waiting.pop_back();
      if (std::optional<Key> key = KeyOf(entry)) {
        Occurrences& found = occurrences_.at(*key);
        if (found.count > 1) {
          *entry.slot = found.last;
          (*entry.slot)->uses = found.count;
          if (std::exchange(found.replaced, true)) continue;
        }
      }
      PushBelow(entry, true, &waiting);
    }
  }

  std::unordered_map<std::string, uint32_t> numbers_;
  std::unordered_map<const PlanNode*, Facts> facts_;
  std::map<Key, Occurrences> occurrences_;
};

}  // namespace

void PropagateMatchers(PlanNode* root, bool names_alone) {
  for (PlanNode* node : NodesOf(root)) {
    if (node->kind == PlanKind::kBinary) PropagateBetween(static_cast<BinaryNode&>(*node), names_alone);
  }
}

void ShareSubtrees(PlanPtr* root) { Sharer().Run(root); }

}  // namespace gauntlet::promql
