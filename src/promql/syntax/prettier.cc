#include "promql/syntax/prettier.h"

#include "promql/syntax/characters.h"
#include "promql/syntax/function_table.h"
#include "promql/syntax/printer.h"
#include "promql/syntax/walk.h"

namespace gauntlet::promql {
namespace {

constexpr size_t kLineBytesMax = 100, kChainMax = 500;

std::string Indent(int level) { return std::string(static_cast<size_t>(level) * 2, ' '); }

std::string Trim(const std::string& s) {
  size_t first = 0, last = s.size();
  while (first < last && IsSpace(s[first])) first++;
  while (last > first && IsSpace(s[last - 1])) last--;
  return s.substr(first, last - first);
}

std::string Pretty(const Expr& e, int level);

// `head` and the parts, one per line, in parentheses.
std::string Enclosed(std::string head, const std::string& parts, int level) {
  return Indent(level) + std::move(head) + "(\n" + parts + "\n" + Indent(level) + ")";
}

std::string PrettyAggregate(const AggregateExpr& e, int level) {
  std::string head, parts;
  AppendAggregateHead(head, e);
  if (e.param) parts = Pretty(*e.param, level + 1) + ",\n";
  return Enclosed(std::move(head), parts + Pretty(*e.expr, level + 1), level);
}

std::string PrettyBinary(const BinaryExpr& e, int level) {
  // Each operator indents what is on its left: with the length of the chain, the text grows by its square.
  if (ChainOf(e).size() > kChainMax) return Indent(level) + ToString(e);
  std::string out = Pretty(*e.lhs, level + 1) + "\n" + Indent(level);
  AppendBinaryOperator(out, e);
  return out + "\n" + Pretty(*e.rhs, level + 1);
}

std::string PrettyCall(const Call& e, int level) {
  std::string parts;
  for (size_t i = 0; i < e.args.size(); i++) {
    if (i > 0) parts += ",\n";
    parts += Pretty(*e.args[i], level + 1);
  }
  return Enclosed(std::string(e.function->name), parts, level);
}

// The rules for what is too long for a line; nodes without a rule stay on theirs.
std::string PrettyLong(const Expr& e, int level) {
  switch (e.kind) {
    case NodeKind::kAggregate:
      return PrettyAggregate(static_cast<const AggregateExpr&>(e), level);
    case NodeKind::kBinary:
      return PrettyBinary(static_cast<const BinaryExpr&>(e), level);
    case NodeKind::kCall:
      return PrettyCall(static_cast<const Call&>(e), level);
    case NodeKind::kParen:
      return Enclosed("", Pretty(*static_cast<const ParenExpr&>(e).expr, level + 1), level);
    case NodeKind::kSubquery: {
      const auto& subquery = static_cast<const SubqueryExpr&>(e);
      std::string out = Pretty(*subquery.expr, level);
      AppendSubquerySuffix(out, subquery);
      return out;
    }
    default:
      return Indent(level) + ToString(e);
  }
}

std::string Pretty(const Expr& e, int level) {
  if (e.kind == NodeKind::kUnary) {
    const auto& unary = static_cast<const UnaryExpr&>(e);
    return Indent(level) + (unary.minus ? "-" : "+") + Trim(Pretty(*unary.expr, level));
  }
  std::string line;
  AppendTo(line, e, kLineBytesMax);
  if (line.size() > kLineBytesMax) return PrettyLong(e, level);
  // Upstream forgets to indent a subquery that fits.
  return e.kind == NodeKind::kSubquery ? line : Indent(level) + line;
}

}  // namespace

std::string Prettify(const Expr& e) { return Pretty(e, 0); }

}  // namespace gauntlet::promql
