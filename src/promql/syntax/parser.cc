#include "promql/syntax/parser.h"

#include <fmt/format.h>

#include <algorithm>

#include "promql/syntax/parse_error.h"
#include "promql/syntax/parser_core.h"
#include "promql/syntax/type_check.h"

namespace gauntlet::promql {

Status CheckQuerySize(std::string_view text, const ParserOptions& options) {
  if (text.size() <= options.query_bytes_max) return {};
  return ParseErrorAt(text, 0,
                      fmt::format("expression of {} bytes is longer than {}", text.size(), options.query_bytes_max));
}

Result<ExprPtr> ParseExpr(std::string_view query, const ParserOptions& options) {
  GN_TRY(CheckQuerySize(query, options));
  Parser parser(query, options, Lexer::Language::kExpression);
  ExprPtr e = parser.ParseExpression();
  GN_TRY(parser.status());
  GN_TRY(CheckTypes(query, *e));
  return e;
}

Result<Matchers> ParseMetricSelector(std::string_view text) {
  ParserOptions options;
  GN_TRY(CheckQuerySize(text, options));
  Parser parser(text, options, Lexer::Language::kExpression);
  std::unique_ptr<VectorSelector> selector = parser.ParseSelector();
  GN_TRY(parser.status());
  return std::move(selector->matchers);
}

Result<Labels> ParseMetric(std::string_view text) {
  ParserOptions options;
  GN_TRY(CheckQuerySize(text, options));
  Parser parser(text, options, Lexer::Language::kExpression);
  std::optional<Labels> labels = parser.ParseMetric();
  GN_TRY(parser.status());
  return *std::move(labels);
}

Status Parser::status() const { return failed() ? ParseErrorAt(lexer_.input(), error_pos_, what_) : Status(); }

ExprPtr Parser::ParseExpression() {
  if (Peek() == Tok::kEof) return Fail(0, "no expression found in input");
  ExprPtr e = Expression(1);
  return e && Expect(Tok::kEof) ? std::move(e) : nullptr;
}

std::unique_ptr<VectorSelector> Parser::ParseSelector() {
  std::optional<Token> name;
  if (IsMetricIdentifier(Peek())) {
    name = Take();
  } else if (Peek() != Tok::kLeftBrace) {
    return Unexpected();
  }
  std::unique_ptr<VectorSelector> selector = Selector(name);
  return selector && Expect(Tok::kEof) ? std::move(selector) : nullptr;
}

std::optional<Labels> Parser::ParseMetric() {
  Pairs pairs;
  if (!MetricPairs(pairs) || !Expect(Tok::kEof)) return std::nullopt;
  return Labels::From(pairs);
}

Tok Parser::Peek() {
  if (has_ahead_) return token_.type;
  token_ = lexer_.Next();
  has_ahead_ = true;
  if (token_.type == Tok::kError) Fail(token_.pos, lexer_.error());
  return token_.type;
}

Token Parser::Take() {
  Peek();
  // The end stays, so that no loop runs past it.
  has_ahead_ = token_.type == Tok::kEof || token_.type == Tok::kError;
  taken_end_ = token_.end();
  return token_;
}

bool Parser::Accept(Tok type) {
  if (Peek() != type) return false;
  Take();
  return true;
}

bool Parser::Expect(Tok type) {
  if (Accept(type)) return true;
  Unexpected();
  return false;
}

std::nullptr_t Parser::Fail(int pos, std::string what) {
  if (!failed()) {
    error_pos_ = pos;
    what_ = std::move(what);
  }
  return nullptr;
}

std::nullptr_t Parser::Unexpected() {
  std::string what = "unexpected " + Describe(token_);
  if (where_) what += fmt::format(" in {}", where_);
  if (expected_) what += fmt::format(", expected {}", expected_);
  return Fail(token_.pos, std::move(what));
}

bool Parser::Enter() {
  if (++depth_ <= options_.depth_max) return true;
  Peek();
  TooDeep(token_.pos);
  return false;
}

bool Parser::Grow(Expr& node, const Expr* child) {
  if (!child || child->height < node.height) return true;
  node.height = static_cast<uint16_t>(child->height + 1);
  if (node.height <= options_.depth_max) return true;
  TooDeep(node.pos.start);
  return false;
}

bool Parser::GrowChain(Expr& node, const Expr& left) {
  if (left.kind != NodeKind::kBinary) return Grow(node, &left);
  node.height = std::max(node.height, left.height);
  return true;
}

std::nullptr_t Parser::TooDeep(int pos) {
  return Fail(pos, fmt::format("expression is nested more than {} levels deep", options_.depth_max));
}

}  // namespace gauntlet::promql
