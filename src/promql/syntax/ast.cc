#include "promql/syntax/ast.h"

#include <utility>

#include "promql/syntax/function_table.h"

namespace gauntlet::promql {

const char* ValueTypeText(ValueType type) {
  switch (type) {
    case ValueType::kNone:
      return "none";
    case ValueType::kScalar:
      return "scalar";
    case ValueType::kVector:
      return "vector";
    case ValueType::kMatrix:
      return "matrix";
    case ValueType::kString:
      return "string";
  }
  return "none";
}

const char* DocumentedType(ValueType type) {
  switch (type) {
    case ValueType::kVector:
      return "instant vector";
    case ValueType::kMatrix:
      return "range vector";
    default:
      return ValueTypeText(type);
  }
}

const char* BinaryOpText(BinaryOp op) {
  static constexpr const char* kText[] = {
      "+", "-", "*", "/", "%", "^", "atan2", "==", "!=", "<", "<=", ">", ">=", "and", "or", "unless", "</", ">/"};
  return kText[static_cast<size_t>(op)];
}

bool IsComparison(BinaryOp op) { return op >= BinaryOp::kEqual && op <= BinaryOp::kGreaterEqual; }

bool IsSetOperator(BinaryOp op) { return op >= BinaryOp::kAnd && op <= BinaryOp::kUnless; }

const char* AggregateOpText(AggregateOp op) {
  static constexpr const char* kText[] = {"sum",      "avg",          "min",    "max",        "count",
                                          "group",    "stddev",       "stdvar", "topk",       "bottomk",
                                          "quantile", "count_values", "limitk", "limit_ratio"};
  return kText[static_cast<size_t>(op)];
}

bool AggregateTakesParameter(AggregateOp op) { return op >= AggregateOp::kTopK; }

const char* MatchCardinalityText(MatchCardinality card) {
  static constexpr const char* kText[] = {"one-to-one", "many-to-one", "one-to-many", "many-to-many"};
  return kText[static_cast<size_t>(card)];
}

BinaryExpr::~BinaryExpr() {
  for (ExprPtr e = std::move(lhs); e != nullptr && e->kind == NodeKind::kBinary;) {
    ExprPtr next = std::move(static_cast<BinaryExpr&>(*e).lhs);
    e = std::move(next);
  }
}

ValueType BinaryExpr::type() const {
  const Expr* e = this;
  while (e->kind == NodeKind::kBinary) {
    const auto& binary = static_cast<const BinaryExpr&>(*e);
    if (binary.checked_type != ValueType::kNone) return binary.checked_type;
    if (binary.rhs->type() != ValueType::kScalar) return ValueType::kVector;
    e = binary.lhs.get();
  }
  return e->type() == ValueType::kScalar ? ValueType::kScalar : ValueType::kVector;
}

ValueType Call::type() const { return function ? function->return_type : ValueType::kNone; }

}  // namespace gauntlet::promql
