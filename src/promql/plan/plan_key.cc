#include "promql/plan/plan_key.h"

#include <fmt/format.h>

#include <bit>
#include <vector>

#include "model/labels.h"

namespace gauntlet::promql {
namespace {

std::string Quoted(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += GoQuote(name);
  return text;
}

std::string SelectKey(const SelectSpec& s, const SelectKeyParts& parts) {
  std::string key = fmt::format("{} {}", MatchersToString(s.matchers), s.range_ms);
  if (parts.range) key += fmt::format(" from {} to {}", s.start_ms, s.end_ms);
  if (parts.function) key += fmt::format(" func {}", s.func);
  if (parts.others) key += fmt::format(" step {} {} {}", s.step_ms, s.by, Quoted(s.grouping));
  return key;
}

std::string MatchingKey(const VectorMatching& m) {
  auto fill = [](const std::optional<double>& v) { return v ? fmt::format("{:x}", std::bit_cast<uint64_t>(*v)) : ""; };
  return fmt::format("{} {} {} {} {} {}", static_cast<int>(m.card), Quoted(m.labels), m.on, Quoted(m.include),
                     fill(m.fill_left), fill(m.fill_right));
}

}  // namespace

std::string OwnKey(const PlanNode& node, const SelectKeyParts& parts) {
  switch (node.kind) {
    case PlanKind::kNumber:
      return fmt::format("{:x}", std::bit_cast<uint64_t>(static_cast<const NumberNode&>(node).value));
    case PlanKind::kString:
      return GoQuote(static_cast<const StringNode&>(node).value);
    case PlanKind::kVectorSelect: {
      const auto& n = static_cast<const VectorSelectNode&>(node);
      return fmt::format("{} {} {} {} {}", SelectKey(n.select, parts), n.shift_ms, n.lookback_ms, n.smoothed,
                         parts.others && n.histogram_statistics);
    }
    case PlanKind::kMatrixSelect: {
      const auto& n = static_cast<const MatrixSelectNode&>(node);
      return fmt::format("{} {} {} {} {} {} {} {}", SelectKey(n.select, parts), n.shift_ms, n.range_ms, n.lookback_ms,
                         n.fixed, n.anchored, n.smoothed, parts.others && n.histogram_statistics);
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
    case PlanKind::kRemote: {
      const auto& n = static_cast<const RemoteNode&>(node);
      std::string key = PlanKey(*n.expr, parts);
      for (const RemoteNode::Part& part : n.parts) key += " " + part.name;
      return key;
    }
    case PlanKind::kNegate:
    case PlanKind::kStepInvariant:
      return "";
  }
  return "";
}

std::string PlanKey(const PlanNode& node, const SelectKeyParts& parts) {
  const StepGrid& grid = node.grid;
  std::string key =
      fmt::format("{} {} {} {}{} [{}]", static_cast<int>(node.kind), grid.start_ms, grid.steps > 1 ? grid.step_ms : 0,
                  grid.steps, grid.ranged ? "r" : "", OwnKey(node, parts));
  if (node.kind == PlanKind::kRemote) return key;
  for (const PlanNode* child : PlanChildren(node)) key += "(" + PlanKey(*child, parts) + ")";
  return key;
}

}  // namespace gauntlet::promql
