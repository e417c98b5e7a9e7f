#include "promql/plan/distribute.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "promql/plan/partition.h"
#include "promql/plan/plan_key.h"
#include "promql/plan/preservation.h"
#include "promql/syntax/parser.h"

namespace gauntlet::promql {
namespace {

// Beyond it, planning parts anew would take longer than it saves.
constexpr size_t kNodesMax = 500;

bool HasMoreNodes(const PlanNode& root, size_t than) {
  std::vector<const PlanNode*> waiting = {&root};
  for (size_t count = 0; !waiting.empty(); ++count) {
    if (count == than) return true;
    const PlanNode* node = waiting.back();
    waiting.pop_back();
    for (const PlanNode* child : PlanChildren(*node)) waiting.push_back(child);
  }
  return false;
}

std::string NameOf(const SelectSpec& select) {
  for (const Matcher& m : select.matchers) {
    if (m.name() == kMetricName && m.type() == MatchType::kEqual) return m.value();
  }
  return {};
}

void CopyPlace(const PlanNode& from, PlanNode* to) {
  to->type = from.type;
  to->grid = from.grid;
  to->pos = from.pos;
  to->single_name = from.single_name;
  to->title = from.title;
}

class Distributor {
 public:
  Distributor(const Leaves& leaves, std::string_view query, const PlanOptions& options)
      : leaves_(leaves), query_(query), options_(options), blank_(query) {
    for (char& c : blank_) c = c == '\n' ? '\n' : ' ';
    // What hangs on the default step of a leaf's subqueries is to look different.
    options_.no_step_subquery_interval = [](int64_t) -> int64_t { return 7'654'321; };
  }

  // `ordered`: something above looks at the order of the series, and cannot do with another one.
  void Visit(PlanPtr* slot, bool ordered) {
    if ((*slot)->type == ValueType::kVector && Give(slot, ordered)) {
      gave_ = true;
      return;
    }
    PlanNode& node = **slot;
    VisitBelow(node, ordered);
    for (const PlanNode* child : PlanChildren(node)) node.unsure_order |= child->unsure_order;
  }
  bool gave() const { return gave_; }

 private:
  void VisitBelow(PlanNode& node, bool ordered) {
    switch (node.kind) {
      case PlanKind::kFunction: {
        auto& call = static_cast<FunctionNode&>(node);
        if (call.function->name == "info") return;  // it looks at the labels of other series
        // Of a sample's own time nothing is left once it is evaluated.
        const bool sample_time = call.function->name.ends_with("timestamp");
        for (PlanPtr& arg : call.args) {
          if (!sample_time || SelectOf(*arg) == nullptr) Visit(&arg, ordered);
        }
        return;
      }
      case PlanKind::kRangeFunction: {
        auto& call = static_cast<RangeFunctionNode&>(node);
        for (PlanPtr& arg : call.args) Visit(&arg, ordered);
        if (call.range->kind != PlanKind::kSubquery) return;
        auto& subquery = static_cast<SubqueryNode&>(*call.range);
        Visit(&subquery.expr, ordered);
        subquery.unsure_order = subquery.expr->unsure_order;
        return;
      }
      case PlanKind::kAggregate: {
        auto& aggregate = static_cast<AggregateNode&>(node);
        if (aggregate.param != nullptr) Visit(&aggregate.param, ordered);
        const bool limit_at_once = aggregate.op == AggregateOp::kLimitRatio && aggregate.grid.instant();
        return Visit(&aggregate.expr, ordered || limit_at_once || aggregate.op == AggregateOp::kLimitK);
      }
      case PlanKind::kBinary:
        Visit(&static_cast<BinaryNode&>(node).lhs, ordered);
        return Visit(&static_cast<BinaryNode&>(node).rhs, ordered);
      case PlanKind::kNegate:
        return Visit(&static_cast<NegateNode&>(node).expr, ordered);
      case PlanKind::kStepInvariant:
        return Visit(&static_cast<StepInvariantNode&>(node).expr, ordered);
      default:
        return;
    }
  }

  // Puts a remote node in the place of the node, or, of an aggregation, below it. False: it stays as it is.
  bool Give(PlanPtr* slot, bool ordered) {
    PlanNode& node = **slot;
    const StepGrid& grid = node.grid;
    if (node.kind == PlanKind::kStepInvariant) return false;  // what is below is evaluated once
    if (grid.steps == 0 || grid.start_ms <= 0 || grid.start_ms % 1000 != 0) return false;
    if (grid.steps > 1 && grid.step_ms % 1000 != 0) return false;
    if (grid.ranged) return false;  // a leaf would take it for an instant
    const Targets targets = TargetsOf(node, leaves_);
    if (targets.leaves.empty() || !targets.can_be_asked) return false;
    for (const Partition& partition : Partitions(targets, leaves_)) {
      if (Preserves(node, partition)) {
        if (GiveWhole(slot, targets, partition, ordered)) return true;
      } else if (node.kind == PlanKind::kAggregate && !ordered) {
        if (!Preserves(*static_cast<AggregateNode&>(node).expr, partition)) continue;
        if (GiveAggregate(slot, targets)) return true;
      }
    }
    return false;
  }

  bool GiveWhole(PlanPtr* slot, const Targets& targets, const Partition& partition, bool ordered) {
    const SelectSpec* series = SeriesOf(**slot);
    const std::string name = series != nullptr ? NameOf(*series) : "";
    const bool sure = series != nullptr && (!name.empty() || (*slot)->kind == PlanKind::kVectorSelect);
    if (ordered && !sure) return false;
    std::shared_ptr<RemoteNode> remote = Remote(*slot, TextOf(**slot), targets);
    if (remote == nullptr) return false;
    remote->unsure_order = !sure;
    remote->name_before = name;
    remote->told_apart_by = partition;
    for (size_t i = 0; i < remote->parts.size(); ++i) {
      for (const LeafData* data : targets.leaves[i].data) {
        remote->parts[i].values.insert(ValuesOf(data->labels, partition));
      }
    }
    *slot = std::move(remote);
    return true;
  }

  // The leaves' sums, added here; and so on.
  bool GiveAggregate(PlanPtr* slot, const Targets& targets) {
    const auto& whole = static_cast<const AggregateNode&>(**slot);
    RemoteNode::Check check = RemoteNode::Check::kNone;
    switch (whole.op) {
      case AggregateOp::kSum:
        check = RemoteNode::Check::kSum;
        break;
      case AggregateOp::kMin:
      case AggregateOp::kMax:
        check = RemoteNode::Check::kExtremum;
        break;
      case AggregateOp::kCount:
      case AggregateOp::kGroup:
        break;
      case AggregateOp::kAvg:
        return GiveAverage(slot, targets);
      default:
        return false;
    }
    std::shared_ptr<AggregateNode> again = Again(whole, whole.op, *slot, TextOf(whole), targets, check);
    if (again == nullptr) return false;
    *slot = std::move(again);
    return true;
  }

  // The leaves' sums by the leaves' counts.
  bool GiveAverage(PlanPtr* slot, const Targets& targets) {
    const auto& average = static_cast<const AggregateNode&>(**slot);
    if (std::binary_search(average.grouping.begin(), average.grouping.end(), kMetricName))
      return false;  // a division drops the name
    auto half = [&](AggregateOp op, std::string_view name, RemoteNode::Check check) -> std::shared_ptr<AggregateNode> {
      auto part = std::make_shared<AggregateNode>(average);
      part->op = op;
      std::string text = TextOf(average);
      text.replace(static_cast<size_t>(average.pos.start), 3, name);
      return Again(average, op, part, std::move(text), targets, check);
    };
    auto sum = half(AggregateOp::kSum, "sum", RemoteNode::Check::kAverage);
    if (sum == nullptr) return false;
    auto count = half(AggregateOp::kCount, "count", RemoteNode::Check::kNone);
    if (count == nullptr) return false;
    static_cast<RemoteNode&>(*count->expr).silent = true;
    auto division = std::make_shared<BinaryNode>();
    CopyPlace(average, division.get());
    division->op = BinaryOp::kDiv;
    division->matching.emplace();
    division->lhs = std::move(sum);
    division->rhs = std::move(count);
    division->unsure_order = true;
    *slot = std::move(division);
    return true;
  }

  // `part`, which is `text`, evaluated by the leaves, and taken together as `whole` is.
  std::shared_ptr<AggregateNode> Again(const AggregateNode& whole, AggregateOp op, const PlanPtr& part,
                                       std::string text, const Targets& targets, RemoteNode::Check check) const {
    std::shared_ptr<RemoteNode> remote = Remote(part, std::move(text), targets);
    if (remote == nullptr) return nullptr;
    remote->check = check;
    remote->aggregated = true;
    remote->pos = whole.expr->pos;
    remote->unsure_order = true;
    auto again = std::make_shared<AggregateNode>(whole);
    again->op = op == AggregateOp::kCount ? AggregateOp::kSum : op;
    again->expr = std::move(remote);
    again->unsure_order = true;
    return again;
  }

  // The part of the query at its place, and nothing else.
  std::string TextOf(const PlanNode& node) const {
    const size_t start = static_cast<size_t>(node.pos.start), end = static_cast<size_t>(node.pos.end);
    return blank_.substr(0, start) + std::string(query_.substr(start, end - start));
  }

  // Null when a leaf would not plan `text` as it is planned here.
  std::shared_ptr<RemoteNode> Remote(const PlanPtr& part, std::string text, const Targets& targets) const {
    Result<ExprPtr> expr = ParseExpr(text);
    if (!expr.ok()) return nullptr;
    PlanOptions options = options_;
    options.start_ms = part->grid.start_ms;
    options.end_ms = part->grid.last_ms();
    options.step_ms = part->grid.steps > 1 ? part->grid.step_ms : 1000;
    Result<Plan> theirs = MakePlainPlan(**expr, options);
    if (!theirs.ok()) return nullptr;
    const SelectKeyParts parts{leaves_.range_matters, leaves_.function_matters, false};
    if (PlanKey(*theirs->root, parts) != PlanKey(*part, parts)) return nullptr;
    auto remote = std::make_shared<RemoteNode>();
    CopyPlace(*part, remote.get());
    remote->title = "remote " + part->title;
    remote->expr = part;
    remote->text = std::move(text);
    remote->lookback_ms = options_.lookback_delta_ms;
    for (const Targets::Target& target : targets.leaves) {
      remote->parts.push_back({target.leaf, leaves_.leaves[target.leaf].name, {}});
    }
    return remote;
  }

  const Leaves& leaves_;
  const std::string_view query_;
  PlanOptions options_;
  std::string blank_;
  bool gave_ = false;
};

}  // namespace

void Distribute(const Leaves& leaves, std::string_view query, const PlanOptions& options, Plan* plan) {
  if (leaves.leaves.empty() || options.lookback_delta_ms % 1000 != 0) return;
  if (HasMoreNodes(*plan->root, kNodesMax)) return;
  Distributor distributor(leaves, query, options);
  distributor.Visit(&plan->root, false);
  plan->distributed = distributor.gave();
}

}  // namespace gauntlet::promql
