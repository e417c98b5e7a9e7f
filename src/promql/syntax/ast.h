// AST: a PromQL expression as a tree of nodes, with the byte range of each in the query.
//
// Upstream: prometheus promql/parser/ast.go
// Threads:  immutable once parsed and checked; the printer and the planner only read.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/matcher.h"

namespace gauntlet::promql {

enum class ValueType : uint8_t { kNone, kScalar, kVector, kMatrix, kString };
const char* ValueTypeText(ValueType type);   // "scalar", "vector", "matrix", "string", "none"
const char* DocumentedType(ValueType type);  // "scalar", "instant vector", "range vector", "string"

// Byte offsets into the query, end exclusive.
struct PositionRange {
  int start = 0, end = 0;
};

enum class BinaryOp : uint8_t {
  kAdd,
  kSub,
  kMul,
  kDiv,
  kMod,
  kPow,
  kAtan2,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kAnd,
  kOr,
  kUnless,
  kTrimUpper,  // </
  kTrimLower,  // >/
};
const char* BinaryOpText(BinaryOp op);
bool IsComparison(BinaryOp op);
bool IsSetOperator(BinaryOp op);

enum class AggregateOp : uint8_t {
  kSum,
  kAvg,
  kMin,
  kMax,
  kCount,
  kGroup,
  kStddev,
  kStdvar,
  kTopK,
  kBottomK,
  kQuantile,
  kCountValues,
  kLimitK,
  kLimitRatio,
};
const char* AggregateOpText(AggregateOp op);
bool AggregateTakesParameter(AggregateOp op);

enum class NodeKind : uint8_t {
  kNumber,
  kString,
  kVectorSelector,
  kMatrixSelector,
  kSubquery,
  kParen,
  kUnary,
  kBinary,
  kAggregate,
  kCall,
  kDuration,
};

struct Expr {
  const NodeKind kind;
  // Nodes on the longest way down, where a step from a binary operator to one on its left does not count: chains like
  // a + b + c + ... may be as long as the query. The parser bounds it, so that walks may recurse, but not along chains.
  uint16_t height = 1;
  PositionRange pos;
  explicit Expr(NodeKind k) : kind(k) {}
  virtual ~Expr() = default;
  virtual ValueType type() const = 0;
};
using ExprPtr = std::unique_ptr<Expr>;

struct NumberLiteral : Expr {
  NumberLiteral() : Expr(NodeKind::kNumber) {}
  double value = 0;
  bool is_duration = false;  // written as one: printed so again
  ValueType type() const override { return ValueType::kScalar; }
};

struct StringLiteral : Expr {
  StringLiteral() : Expr(NodeKind::kString) {}
  std::string value;
  ValueType type() const override { return ValueType::kString; }
};

// A duration that is not a plain literal: 5m * 2, step(), max_of(1m, range()). Kept for printing; folded by
// ResolveDurations in the planner, once step and range are known. Its operands are NumberLiterals (seconds) or
// DurationExprs.
struct DurationExpr : Expr {
  DurationExpr() : Expr(NodeKind::kDuration) {}
  enum class Op : uint8_t {
    kAdd,
    kSub,
    kMul,
    kDiv,
    kMod,
    kPow,
    kNegate,
    kPlus,
    kStep,
    kRange,
    kMinOf,
    kMaxOf
  } op = Op::kStep;
  ExprPtr lhs, rhs;      // unary forms use rhs
  bool wrapped = false;  // in parentheses
  ValueType type() const override { return ValueType::kScalar; }
};

enum class AtModifier : uint8_t { kNone, kTimestamp, kStart, kEnd };

// `offset` and `@` of selectors and subqueries.
struct TimeModifiers {
  int64_t offset_ms = 0;
  std::unique_ptr<DurationExpr> offset_expr;  // when set, offset_ms follows from it
  AtModifier at = AtModifier::kNone;
  int64_t at_ms = 0;  // for kTimestamp
};

struct VectorSelector : Expr {
  VectorSelector() : Expr(NodeKind::kVectorSelector) {}
  std::string name;   // as written before the braces; also in matchers
  Matchers matchers;  // with __name__, in written order, the name's last
  TimeModifiers time;
  bool anchored = false, smoothed = false;
  bool bypass_empty_matcher_check = false;  // second argument of info()
  ValueType type() const override { return ValueType::kVector; }
};

struct MatrixSelector : Expr {
  MatrixSelector() : Expr(NodeKind::kMatrixSelector) {}
  std::unique_ptr<VectorSelector> selector;  // holds the modifiers
  int64_t range_ms = 0;
  std::unique_ptr<DurationExpr> range_expr;
  ValueType type() const override { return ValueType::kMatrix; }
};

struct SubqueryExpr : Expr {
  SubqueryExpr() : Expr(NodeKind::kSubquery) {}
  ExprPtr expr;
  int64_t range_ms = 0;
  std::unique_ptr<DurationExpr> range_expr;
  int64_t step_ms = 0;  // 0 = the engine's default
  std::unique_ptr<DurationExpr> step_expr;
  TimeModifiers time;
  ValueType type() const override { return ValueType::kMatrix; }
};

struct ParenExpr : Expr {
  ParenExpr() : Expr(NodeKind::kParen) {}
  ExprPtr expr;
  ValueType type() const override { return expr->type(); }
};

struct UnaryExpr : Expr {
  UnaryExpr() : Expr(NodeKind::kUnary) {}
  bool minus = true;  // '+' otherwise
  ExprPtr expr;
  ValueType type() const override { return expr->type(); }
};

enum class MatchCardinality : uint8_t { kOneToOne, kManyToOne, kOneToMany, kManyToMany };
const char* MatchCardinalityText(MatchCardinality card);  // "one-to-one", ...

struct VectorMatching {
  MatchCardinality card = MatchCardinality::kOneToOne;
  std::vector<std::string> labels;  // of on / ignoring
  bool on = false;
  std::vector<std::string> include;  // of group_left / group_right
  std::optional<double> fill_left, fill_right;
};

struct BinaryExpr : Expr {
  BinaryExpr() : Expr(NodeKind::kBinary) {}
  ~BinaryExpr() override;
  BinaryOp op = BinaryOp::kAdd;
  ExprPtr lhs, rhs;
  std::optional<VectorMatching> matching;  // set when both sides are vectors
  bool return_bool = false;
  ValueType checked_type = ValueType::kNone;  // what type() is, once the type checker has been here
  ValueType type() const override;
};

struct AggregateExpr : Expr {
  AggregateExpr() : Expr(NodeKind::kAggregate) {}
  AggregateOp op = AggregateOp::kSum;
  ExprPtr expr;
  ExprPtr param;  // for topk, bottomk, quantile, count_values, limitk, limit_ratio
  std::vector<std::string> grouping;
  bool without = false;
  ValueType type() const override { return ValueType::kVector; }
};

struct Function;  // function_table.h

struct Call : Expr {
  Call() : Expr(NodeKind::kCall) {}
  const Function* function = nullptr;
  std::vector<ExprPtr> args;
  ValueType type() const override;
};

}  // namespace gauntlet::promql
