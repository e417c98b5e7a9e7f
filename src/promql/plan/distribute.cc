#include "promql/plan/distribute.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "promql/plan/plan_key.h"
#include "promql/syntax/parser.h"

namespace gauntlet::promql {
namespace {

// Beyond it, planning parts anew would take longer than it saves.
constexpr size_t kNodesMax = 500;

const SelectSpec* SelectOf(const PlanNode& node) {
  if (node.kind == PlanKind::kVectorSelect) return &static_cast<const VectorSelectNode&>(node).select;
  if (node.kind == PlanKind::kMatrixSelect) return &static_cast<const MatrixSelectNode&>(node).select;
  return nullptr;
}

void CollectSelects(const PlanNode& node, std::vector<const SelectSpec*>* out) {
  if (const SelectSpec* select = SelectOf(node)) out->push_back(select);
  for (const PlanNode* child : PlanChildren(node)) CollectSelects(*child, out);
}

bool Selects(const PlanNode& node) {
  if (SelectOf(node) != nullptr) return true;
  for (const PlanNode* child : PlanChildren(node)) {
    if (Selects(*child)) return true;
  }
  return false;
}

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

bool Has(const std::vector<std::string>& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

// Functions of one series alone.
bool IsElementwise(std::string_view name) {
  static constexpr std::string_view kNames[] = {"abs",
                                                "acos",
                                                "acosh",
                                                "asin",
                                                "asinh",
                                                "atan",
                                                "atanh",
                                                "ceil",
                                                "clamp",
                                                "clamp_max",
                                                "clamp_min",
                                                "cos",
                                                "cosh",
                                                "day_of_month",
                                                "day_of_week",
                                                "day_of_year",
                                                "days_in_month",
                                                "deg",
                                                "exp",
                                                "floor",
                                                "histogram_avg",
                                                "histogram_count",
                                                "histogram_stddev",
                                                "histogram_stdvar",
                                                "histogram_sum",
                                                "hour",
                                                "ln",
                                                "log10",
                                                "log2",
                                                "minute",
                                                "month",
                                                "rad",
                                                "round",
                                                "sgn",
                                                "sin",
                                                "sinh",
                                                "sqrt",
                                                "tan",
                                                "tanh",
                                                "timestamp",
                                                "year"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

// May the series of this data match?
bool MayMatch(const LeafData& data, const SelectSpec& select) {
  if (data.max_time_ms < select.start_ms || data.min_time_ms > select.end_ms) return false;
  return std::all_of(select.matchers.begin(), select.matchers.end(), [&](const Matcher& m) {
    std::string_view value = data.labels.Get(m.name());
    return value.empty() || m.Matches(value);
  });
}

// A way to tell leaves apart: by the values of these labels, which all of their series have.
using Partition = std::vector<std::string>;

std::vector<std::string> ValuesOf(const Labels& labels, const Partition& partition) {
  std::vector<std::string> values;
  for (const std::string& name : partition) values.emplace_back(labels.Get(name));
  return values;
}

// The leaves that a part is about.
struct Targets {
  struct Target {
    uint32_t leaf;
    std::vector<const LeafData*> data;
  };
  bool can_be_asked = true;  // all of them
  std::vector<Target> leaves;

  // Whether every series has the labels, and no two leaves have the same values.
  bool TellsApart(const Partition& partition) const {
    std::map<std::vector<std::string>, uint32_t> owners;
    for (const Target& target : leaves) {
      for (const LeafData* data : target.data) {
        std::vector<std::string> values = ValuesOf(data->labels, partition);
        if (std::find(values.begin(), values.end(), "") != values.end()) return false;
        if (owners.try_emplace(std::move(values), target.leaf).first->second != target.leaf) return false;
      }
    }
    return true;
  }
};

bool Preserves(const PlanNode& node, const Partition& partition);

bool PreservesCall(const FunctionNode& call, const Partition& partition) {
  const std::string_view name = call.function->name;
  const bool renames = name == "label_replace" || name == "label_join";
  if (!renames && !IsElementwise(name)) return false;
  bool vector = false, first_string = true;
  for (const PlanPtr& arg : call.args) {
    if (arg->type == ValueType::kVector) {
      vector = Preserves(*arg, partition);
      if (!vector) return false;
    } else if (arg->kind == PlanKind::kString) {
      // Of label functions the first is the label that is written.
      if (std::exchange(first_string, false) && Has(partition, static_cast<const StringNode&>(*arg).value))
        return false;
    } else if (Selects(*arg)) {
      return false;
    }
  }
  return vector;
}

bool PreservesRange(const RangeFunctionNode& call, const Partition& partition) {
  if (call.function->name == "absent_over_time") return false;
  if (std::any_of(call.args.begin(), call.args.end(), [](const PlanPtr& arg) { return Selects(*arg); })) return false;
  return call.range->kind == PlanKind::kMatrixSelect ||
         Preserves(*static_cast<const SubqueryNode&>(*call.range).expr, partition);
}

bool PreservesAggregate(const AggregateNode& aggregate, const Partition& partition) {
  for (const std::string& name : partition) {
    if (Has(aggregate.grouping, name) == aggregate.without) return false;
  }
  const PlanNode* param = aggregate.param.get();
  if (param != nullptr && Selects(*param)) return false;
  if (param != nullptr && param->kind == PlanKind::kString &&
      Has(partition, static_cast<const StringNode&>(*param).value)) {
    return false;
  }
  // The order of an instant query's topk is part of its answer, and the Query API's range queries have none.
  const bool ordered = aggregate.op == AggregateOp::kTopK || aggregate.op == AggregateOp::kBottomK;
  if (ordered && aggregate.grid.steps == 1) return false;
  return Preserves(*aggregate.expr, partition);
}

bool PreservesBinary(const BinaryNode& binary, const Partition& partition) {
  if (!binary.matching) {
    const bool scalar_first = binary.lhs->type == ValueType::kScalar;
    const PlanNode &scalar = *(scalar_first ? binary.lhs : binary.rhs),
                   &vector = *(scalar_first ? binary.rhs : binary.lhs);
    return !Selects(scalar) && Preserves(vector, partition);
  }
  const VectorMatching& matching = *binary.matching;
  if (matching.fill_left || matching.fill_right) return false;
  for (const std::string& name : partition) {
    if (Has(matching.labels, name) != matching.on) return false;
  }
  return Preserves(*binary.lhs, partition) && Preserves(*binary.rhs, partition);
}

// Whether a leaf's series alone decide what comes of them, and keep the labels that tell the leaf apart.
bool Preserves(const PlanNode& node, const Partition& partition) {
  if (node.type != ValueType::kVector) return false;
  switch (node.kind) {
    case PlanKind::kVectorSelect:
      return true;
    case PlanKind::kFunction:
      return PreservesCall(static_cast<const FunctionNode&>(node), partition);
    case PlanKind::kRangeFunction:
      return PreservesRange(static_cast<const RangeFunctionNode&>(node), partition);
    case PlanKind::kAggregate:
      return PreservesAggregate(static_cast<const AggregateNode&>(node), partition);
    case PlanKind::kBinary:
      return PreservesBinary(static_cast<const BinaryNode&>(node), partition);
    case PlanKind::kNegate:
      return Preserves(*static_cast<const NegateNode&>(node).expr, partition);
    case PlanKind::kStepInvariant:
      return Preserves(*static_cast<const StepInvariantNode&>(node).expr, partition);
    default:
      return false;
  }
}

// The selector whose series these are one by one, in its order; null when there is none.
const SelectSpec* SeriesOf(const PlanNode& node) {
  switch (node.kind) {
    case PlanKind::kVectorSelect:
    case PlanKind::kMatrixSelect:
      return SelectOf(node);
    case PlanKind::kSubquery:
      return SeriesOf(*static_cast<const SubqueryNode&>(node).expr);
    case PlanKind::kFunction: {
      const auto& call = static_cast<const FunctionNode&>(node);
      if (!IsElementwise(call.function->name)) return nullptr;
      for (const PlanPtr& arg : call.args) {
        if (arg->type == ValueType::kVector) return SeriesOf(*arg);
      }
      return nullptr;
    }
    case PlanKind::kRangeFunction:
      return SeriesOf(*static_cast<const RangeFunctionNode&>(node).range);
    case PlanKind::kBinary: {
      const auto& binary = static_cast<const BinaryNode&>(node);
      if (binary.matching) return nullptr;
      return SeriesOf(binary.lhs->type == ValueType::kScalar ? *binary.rhs : *binary.lhs);
    }
    case PlanKind::kNegate:
      return SeriesOf(*static_cast<const NegateNode&>(node).expr);
    case PlanKind::kStepInvariant:
      return SeriesOf(*static_cast<const StepInvariantNode&>(node).expr);
    default:
      return nullptr;
  }
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
        return Visit(&aggregate.expr, ordered || aggregate.op == AggregateOp::kLimitK);
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
    const Targets targets = TargetsOf(node);
    if (targets.leaves.empty() || !targets.can_be_asked) return false;
    for (const Partition& partition : Partitions(targets)) {
      if (Preserves(node, partition)) {
        if (GiveWhole(slot, targets, partition, ordered)) return true;
      } else if (node.kind == PlanKind::kAggregate && !ordered) {
        if (!Preserves(*static_cast<AggregateNode&>(node).expr, partition)) continue;
        if (GiveAggregate(slot, targets)) return true;
      }
    }
    return false;
  }

  Targets TargetsOf(const PlanNode& node) const {
    std::vector<const SelectSpec*> selects;
    CollectSelects(node, &selects);
    Targets targets;
    for (uint32_t i = 0; i < leaves_.leaves.size(); ++i) {
      const Leaf& leaf = leaves_.leaves[i];
      Targets::Target target{i, {}};
      for (const LeafData& data : leaf.data) {
        auto may_match = [&](const SelectSpec* select) { return MayMatch(data, *select); };
        if (std::any_of(selects.begin(), selects.end(), may_match)) target.data.push_back(&data);
      }
      if (target.data.empty()) continue;
      targets.can_be_asked &= leaf.answers_query;
      targets.leaves.push_back(std::move(target));
    }
    return targets;
  }

  // The ways in which the leaves can be told apart: by one label, or else by all.
  std::vector<Partition> Partitions(const Targets& targets) const {
    if (targets.leaves.size() == 1) return {{}};
    Partition all;
    for (const Label& label : targets.leaves[0].data[0]->labels) {
      if (leaves_.partition_labels.empty() || Has(leaves_.partition_labels, label.name)) all.emplace_back(label.name);
    }
    std::vector<Partition> found;
    for (const std::string& name : all) {
      if (targets.TellsApart({name})) found.push_back({name});
    }
    if (found.empty() && !all.empty() && targets.TellsApart(all)) found.push_back(all);
    return found;
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
    if (Has(average.grouping, kMetricName)) return false;  // a division drops the name
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
