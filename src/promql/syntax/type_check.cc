#include "promql/syntax/type_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "promql/syntax/characters.h"
#include "promql/syntax/function_table.h"
#include "promql/syntax/parse_error.h"
#include "promql/syntax/walk.h"

namespace gauntlet::promql {
namespace {

class TypeChecker {
 public:
  explicit TypeChecker(std::string_view query) : query_(query) {}
  // Gives e.type() as well, which would walk down again.
  Status Check(Expr& e, ValueType& type);

 private:
  Status CheckSelector(const VectorSelector& e);
  Status CheckAggregate(AggregateExpr& e);
  Status CheckBinary(BinaryExpr& top, ValueType& type);
  Status CheckOperator(const BinaryExpr& e, ValueType lhs, ValueType rhs);
  Status CheckMatching(BinaryExpr& e, ValueType lhs, ValueType rhs);
  Status CheckCall(Call& e);
  Status CheckArgumentCount(const Call& e);
  Status CheckInfo(Call& e);
  Status CheckUnary(UnaryExpr& e, ValueType& type);
  Status CheckSubquery(SubqueryExpr& e);
  Status Expect(Expr& e, ValueType want, std::string_view where);

  Status Fail(int pos, std::string_view what) { return ParseErrorAt(query_, pos, what); }
  Status Fail(const Expr& e, std::string_view what) { return Fail(e.pos.start, what); }
  int OperatorPos(const BinaryExpr& e) const;

  std::string_view query_;
};

Status TypeChecker::Check(Expr& e, ValueType& type) {
  switch (e.kind) {
    case NodeKind::kParen:
      return Check(*static_cast<ParenExpr&>(e).expr, type);
    case NodeKind::kUnary:
      return CheckUnary(static_cast<UnaryExpr&>(e), type);
    case NodeKind::kBinary:
      return CheckBinary(static_cast<BinaryExpr&>(e), type);
    default:
      break;
  }
  type = e.type();
  switch (e.kind) {
    case NodeKind::kVectorSelector:
      return CheckSelector(static_cast<VectorSelector&>(e));
    case NodeKind::kMatrixSelector:
      return CheckSelector(*static_cast<MatrixSelector&>(e).selector);
    case NodeKind::kSubquery:
      return CheckSubquery(static_cast<SubqueryExpr&>(e));
    case NodeKind::kAggregate:
      return CheckAggregate(static_cast<AggregateExpr&>(e));
    case NodeKind::kCall:
      return CheckCall(static_cast<Call&>(e));
    default:
      return {};
  }
}

Status TypeChecker::Expect(Expr& e, ValueType want, std::string_view where) {
  ValueType got;
  GN_TRY(Check(e, got));
  if (got == want) return {};
  return Fail(e, fmt::format("expected type {} in {}, got {}", DocumentedType(want), where, DocumentedType(got)));
}

Status TypeChecker::CheckSelector(const VectorSelector& e) {
  if (!e.name.empty()) {
    for (const Matcher& m : std::span(e.matchers).first(e.matchers.size() - 1)) {
      if (m.name() != kMetricName) continue;
      return Fail(e, fmt::format("metric name must not be set twice: {} or {}", GoQuote(e.name), GoQuote(m.value())));
    }
    return {};
  }
  if (e.bypass_empty_matcher_check) return {};
  if (std::ranges::any_of(e.matchers, [](const Matcher& m) { return !m.MatchesEmpty(); })) return {};
  return Fail(e, "vector selector must contain at least one non-empty matcher");
}

Status TypeChecker::CheckAggregate(AggregateExpr& e) {
  GN_TRY(Expect(*e.expr, ValueType::kVector, "aggregation expression"));
  if (!e.param) return {};
  ValueType want = e.op == AggregateOp::kCountValues ? ValueType::kString : ValueType::kScalar;
  return Expect(*e.param, want, "aggregation parameter");
}

// Where the operator stands: the first byte after the left operand that is no space.
int TypeChecker::OperatorPos(const BinaryExpr& e) const {
  size_t pos = static_cast<size_t>(e.lhs->pos.end);
  while (pos < query_.size() && IsSpace(query_[pos])) pos++;
  return static_cast<int>(pos);
}

Status TypeChecker::CheckOperator(const BinaryExpr& e, ValueType lhs, ValueType rhs) {
  const bool scalars = lhs == ValueType::kScalar && rhs == ValueType::kScalar;
  if (e.return_bool && !IsComparison(e.op)) {
    return Fail(OperatorPos(e), "bool modifier can only be used on comparison operators");
  }
  if (IsComparison(e.op) && !e.return_bool && scalars) {
    return Fail(OperatorPos(e), "comparisons between scalars must use BOOL modifier");
  }
  if (e.matching->on) {
    for (const std::string& label : e.matching->labels) {
      if (std::ranges::find(e.matching->include, label) == e.matching->include.end()) continue;
      return Fail(OperatorPos(e),
                  fmt::format("label {} must not occur in ON and GROUP clause at once", GoQuote(label)));
    }
  }
  auto fits = [](ValueType type) { return type == ValueType::kScalar || type == ValueType::kVector; };
  if (fits(lhs) && fits(rhs)) return {};
  return Fail(fits(lhs) ? *e.rhs : *e.lhs, "binary expression must contain only scalar and instant vector types");
}

Status TypeChecker::CheckMatching(BinaryExpr& e, ValueType lhs, ValueType rhs) {
  const VectorMatching& matching = *e.matching;
  const bool fill = matching.fill_left || matching.fill_right;
  if (lhs != ValueType::kVector || rhs != ValueType::kVector) {
    if (!matching.labels.empty()) return Fail(e, "vector matching only allowed between instant vectors");
    if (fill) return Fail(e, "filling in missing series only allowed between instant vectors");
    e.matching.reset();
    if (IsSetOperator(e.op)) {
      return Fail(e, fmt::format("set operator \"{}\" not allowed in binary scalar expression", BinaryOpText(e.op)));
    }
  } else if (IsSetOperator(e.op)) {
    if (matching.card != MatchCardinality::kManyToMany) {
      return Fail(e, fmt::format("no grouping allowed for \"{}\" operation", BinaryOpText(e.op)));
    }
    if (fill) return Fail(e, "filling in missing series not allowed for set operators");
  }
  return {};
}

Status TypeChecker::CheckBinary(BinaryExpr& top, ValueType& type) {
  const std::vector<BinaryExpr*> chain = ChainOf(top);
  GN_TRY(Check(*chain.back()->lhs, type));
  for (size_t i = chain.size(); i-- > 0;) {
    BinaryExpr& e = *chain[i];
    const ValueType lhs = type;
    ValueType rhs;
    GN_TRY(Check(*e.rhs, rhs));
    type = lhs == ValueType::kScalar && rhs == ValueType::kScalar ? ValueType::kScalar : ValueType::kVector;
    e.checked_type = type;
    if (IsSetOperator(e.op) && e.matching->card == MatchCardinality::kOneToOne) {
      e.matching->card = MatchCardinality::kManyToMany;
    }
    GN_TRY(CheckOperator(e, lhs, rhs));
    GN_TRY(CheckMatching(e, lhs, rhs));
  }
  return Status();
}

Status TypeChecker::CheckArgumentCount(const Call& e) {
  const Function& f = *e.function;
  const int types = static_cast<int>(f.arg_types.size()), args = static_cast<int>(e.args.size());
  auto fail = [&](std::string_view how, int wanted) {
    return Fail(e, fmt::format("expected {}{} argument(s) in call to {}, got {}", how, wanted, GoQuote(f.name), args));
  };
  if (f.variadic == 0) return types == args ? Status() : fail("", types);
  if (args < types - 1) return fail("at least ", types - 1);
  if (f.variadic > 0 && args > types - 1 + f.variadic) return fail("at most ", types - 1 + f.variadic);
  return {};
}

// The second argument is not a selector of series, but of labels.
Status TypeChecker::CheckInfo(Call& e) {
  Expr& arg = *e.args[1];
  if (arg.type() != ValueType::kVector) {
    return Fail(e, fmt::format("expected type instant vector in call to function \"info\", got {}",
                               DocumentedType(arg.type())));
  }
  if (arg.kind != NodeKind::kVectorSelector) return Fail(arg, "expected label selectors only");
  auto& selector = static_cast<VectorSelector&>(arg);
  if (!selector.name.empty()) return Fail(arg, "expected label selectors only, got vector selector instead");
  selector.bypass_empty_matcher_check = true;
  return {};
}

Status TypeChecker::CheckCall(Call& e) {
  GN_TRY(CheckArgumentCount(e));
  if (e.function->name == "info" && e.args.size() > 1) GN_TRY(CheckInfo(e));
  const std::string where = fmt::format("call to function {}", GoQuote(e.function->name));
  for (size_t i = 0; i < e.args.size(); i++) {
    GN_TRY(Expect(*e.args[i], e.function->arg_types[std::min(i, e.function->arg_types.size() - 1)], where));
  }
  return {};
}

Status TypeChecker::CheckUnary(UnaryExpr& e, ValueType& type) {
  GN_TRY(Check(*e.expr, type));
  if (type == ValueType::kScalar || type == ValueType::kVector) return {};
  return Fail(e,
              fmt::format("unary expression only allowed on expressions of type scalar or instant vector, got \"{}\"",
                          DocumentedType(type)));
}

Status TypeChecker::CheckSubquery(SubqueryExpr& e) {
  ValueType type;
  GN_TRY(Check(*e.expr, type));
  if (type == ValueType::kVector) return {};
  return Fail(e, fmt::format("subquery is only allowed on instant vector, got {} instead", ValueTypeText(type)));
}

}  // namespace

Status CheckTypes(std::string_view query, Expr& root) {
  ValueType type;
  return TypeChecker(query).Check(root, type);
}

}  // namespace gauntlet::promql
