#include "promql/syntax/prettier.h"

#include <string_view>
#include <utility>
#include <vector>

#include "promql/syntax/function_table.h"
#include "promql/syntax/printer.h"
#include "promql/syntax/walk.h"

namespace gauntlet::promql {
namespace {

constexpr size_t kLineBytesMax = 100, kChainMax = 500;

// Writes a tree over lines. It appends to one text, so that nesting costs no copies.
class Prettier {
 public:
  explicit Prettier(std::string& out) : out_(out) {}

  // `indented`: the first line too.
  void Write(const Expr& e, int level, bool indented) {
    if (e.kind == NodeKind::kUnary) {
      const auto& unary = static_cast<const UnaryExpr&>(e);
      if (indented) Indent(level);
      out_ += unary.minus ? '-' : '+';
      return Write(*unary.expr, level, false);
    }
    std::string line;
    AppendTo(line, e, kLineBytesMax);
    if (line.size() > kLineBytesMax) return WriteLong(e, level, indented);
    // Upstream forgets to indent a subquery that fits.
    if (indented && e.kind != NodeKind::kSubquery) Indent(level);
    out_ += line;
  }

 private:
  void Indent(int level) { out_.append(static_cast<size_t>(level) * 2, ' '); }

  // The rules for what is too long for a line; nodes without a rule stay on theirs.
  void WriteLong(const Expr& e, int level, bool indented) {
    if (e.kind == NodeKind::kBinary) return WriteBinary(static_cast<const BinaryExpr&>(e), level, indented);
    if (e.kind == NodeKind::kSubquery) {
      const auto& subquery = static_cast<const SubqueryExpr&>(e);
      Write(*subquery.expr, level, indented);
      return AppendSubquerySuffix(out_, subquery);
    }
    if (indented) Indent(level);
    switch (e.kind) {
      case NodeKind::kAggregate: {
        const auto& aggregate = static_cast<const AggregateExpr&>(e);
        AppendAggregateHead(out_, aggregate);
        return WriteEnclosed({aggregate.param.get(), aggregate.expr.get()}, level);
      }
      case NodeKind::kCall: {
        const auto& call = static_cast<const Call&>(e);
        out_ += call.function->name;
        std::vector<const Expr*> args;
        for (const ExprPtr& arg : call.args) args.push_back(arg.get());
        return WriteEnclosed(args, level);
      }
      case NodeKind::kParen:
        return WriteEnclosed({static_cast<const ParenExpr&>(e).expr.get()}, level);
      default:
        return AppendTo(out_, e);
    }
  }

  // One per line, in parentheses; nulls are left out.
  void WriteEnclosed(const std::vector<const Expr*>& parts, int level) {
    std::string_view before = "(\n";
    for (const Expr* part : parts) {
      if (part == nullptr) continue;
      out_ += std::exchange(before, ",\n");
      Write(*part, level + 1, true);
    }
    if (before.starts_with('(')) out_ += before;
    out_ += '\n';
    Indent(level);
    out_ += ')';
  }

  void WriteBinary(const BinaryExpr& e, int level, bool indented) {
    // Each operator indents what is on its left: with the length of the chain, the text grows by its square.
    if (ChainOf(e).size() > kChainMax) {
      if (indented) Indent(level);
      return AppendTo(out_, e);
    }
    Write(*e.lhs, level + 1, indented);
    out_ += '\n';
    Indent(level);
    AppendBinaryOperator(out_, e);
    out_ += '\n';
    Write(*e.rhs, level + 1, true);
  }

  std::string& out_;
};

}  // namespace

std::string Prettify(const Expr& e) {
  std::string out;
  Prettier(out).Write(e, 0, true);
  return out;
}

}  // namespace gauntlet::promql
