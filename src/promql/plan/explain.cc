#include "promql/plan/explain.h"

#include <fmt/format.h>

#include "model/float_text.h"
#include "model/labels.h"
#include "model/time.h"

namespace gauntlet::promql {
namespace {

// " by (a, b)"
std::string Names(std::string_view keyword, const std::vector<std::string>& names) {
  return fmt::format(" {} ({})", keyword, fmt::join(names, ", "));
}

std::string Shift(int64_t shift_ms) {
  if (shift_ms == 0) return "";
  return shift_ms > 0 ? " back " + FormatPromDuration(shift_ms) : " ahead " + FormatPromDuration(-shift_ms);
}

const char* Ends(bool anchored, bool smoothed) { return anchored ? " anchored" : smoothed ? " smoothed" : ""; }

std::string BinaryText(const BinaryNode& node) {
  std::string text = BinaryOpText(node.op);
  if (node.return_bool) text += " bool";
  if (!node.matching) return text;
  const VectorMatching& matching = *node.matching;
  if (matching.on || !matching.labels.empty()) text += Names(matching.on ? "on" : "ignoring", matching.labels);
  if (matching.card == MatchCardinality::kManyToOne) text += Names("group_left", matching.include);
  if (matching.card == MatchCardinality::kOneToMany) text += Names("group_right", matching.include);
  if (matching.fill_left) text += fmt::format(" fill_left({})", FormatFloatG(*matching.fill_left));
  if (matching.fill_right) text += fmt::format(" fill_right({})", FormatFloatG(*matching.fill_right));
  return text;
}

// remote at 10.0.0.1:10901, 10.0.0.2:10901
std::string RemoteText(const RemoteNode& node) {
  std::string text = "remote at";
  for (const RemoteNode::Part& part : node.parts) text += (&part == node.parts.data() ? " " : ", ") + part.name;
  return text;
}

void AppendText(const Explanation& node, int depth, std::string* out) {
  out->append(static_cast<size_t>(depth) * 2, ' ');
  *out += node.name;
  if (node.cost) {
    *out += fmt::format("  [{:.3f} ms, {:.3f} ms below; {} series, {} samples, {} bytes]",
                        node.cost->self_seconds * 1e3, (node.cost->total_seconds - node.cost->self_seconds) * 1e3,
                        node.cost->series, node.cost->samples, node.cost->peak_bytes);
  }
  *out += '\n';
  for (const Explanation& child : node.children) AppendText(child, depth + 1, out);
}

std::string OwnText(const PlanNode& node) {
  switch (node.kind) {
    case PlanKind::kNumber:
      return FormatFloatG(static_cast<const NumberNode&>(node).value);
    case PlanKind::kString:
      return GoQuote(static_cast<const StringNode&>(node).value);
    case PlanKind::kVectorSelect: {
      const auto& select = static_cast<const VectorSelectNode&>(node);
      return fmt::format("select {}{}{}", SelectorText(select.select.matchers), Ends(false, select.smoothed),
                         Shift(select.shift_ms));
    }
    case PlanKind::kMatrixSelect: {
      const auto& select = static_cast<const MatrixSelectNode&>(node);
      return fmt::format("select {}[{}]{}{}", SelectorText(select.select.matchers), FormatPromDuration(select.range_ms),
                         Ends(select.anchored, select.smoothed), Shift(select.shift_ms));
    }
    case PlanKind::kSubquery: {
      const auto& subquery = static_cast<const SubqueryNode&>(node);
      return fmt::format("subquery [{}:{}]{}", FormatPromDuration(subquery.range_ms),
                         FormatPromDuration(subquery.expr->grid.step_ms), Shift(subquery.shift_ms));
    }
    case PlanKind::kAggregate: {
      const auto& aggregate = static_cast<const AggregateNode&>(node);
      std::string text = AggregateOpText(aggregate.op);
      if (aggregate.without) return text + Names("without", aggregate.grouping);
      return aggregate.grouping.empty() ? text : text + Names("by", aggregate.grouping);
    }
    case PlanKind::kBinary:
      return BinaryText(static_cast<const BinaryNode&>(node));
    case PlanKind::kStepInvariant:
      return "once for all steps";
    case PlanKind::kRemote:
      return RemoteText(static_cast<const RemoteNode&>(node));
    case PlanKind::kFunction:
    case PlanKind::kRangeFunction:
    case PlanKind::kNegate:
      break;
  }
  return std::string(PlanOperatorName(node));
}

}  // namespace

std::string NodeText(const PlanNode& node) {
  if (node.uses == 1) return OwnText(node);
  return fmt::format("{} (made once for {} uses)", OwnText(node), node.uses);
}

Explanation Explain(const PlanNode& root) {
  return Explain(root, [](const PlanNode&, Explanation*) {});
}

Explanation Explain(const PlanNode& root, const std::function<void(const PlanNode&, Explanation*)>& add, int depth) {
  Explanation out;
  out.name = NodeText(root);
  out.steps = root.grid.steps;
  if (depth == kExplanationDepthMax) {
    out.name += " ...";
  } else {
    for (const PlanNode* child : PlanChildren(root)) out.children.push_back(Explain(*child, add, depth + 1));
  }
  add(root, &out);
  return out;
}

std::string ExplanationText(const Explanation& explanation) {
  std::string out;
  AppendText(explanation, 0, &out);
  return out;
}

}  // namespace gauntlet::promql
