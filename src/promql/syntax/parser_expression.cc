// Expressions by precedence, down to literals and parentheses.

#include <fmt/format.h>

#include <cmath>

#include "model/float_text.h"
#include "model/time.h"
#include "promql/syntax/characters.h"
#include "promql/syntax/parser_core.h"
#include "promql/syntax/string_literal.h"

namespace gauntlet::promql {
namespace {

// Whether each underscore stands between digits, or after 0x, as Go wants it.
bool UnderscoresFit(std::string_view text) {
  const bool hex = text.size() > 1 && (text[1] == 'x' || text[1] == 'X');
  auto digit = [&](size_t i) { return i < text.size() && (IsDigit(text[i]) || (hex && i > 0 && IsAlpha(text[i]))); };
  for (size_t i = 0; i < text.size(); i++) {
    if (text[i] == '_' && (i == 0 || !digit(i - 1) || text[i - 1] == '_' || !digit(i + 1))) return false;
  }
  return true;
}

// Go's strconv.ParseInt(text, 0, 64) for what the lexer takes for a number. Nothing when it is no integer, or too big.
std::optional<int64_t> ParseInteger(std::string_view text) {
  uint64_t base = 10;
  if (text.size() > 1 && text[0] == '0') {
    bool hex = text[1] == 'x' || text[1] == 'X';
    base = hex ? 16 : 8;
    text.remove_prefix(hex ? 2 : 1);
  }
  uint64_t value = 0;
  bool any = false;
  for (char c : text) {
    uint64_t digit = c <= '9' ? static_cast<uint64_t>(c - '0') : static_cast<uint64_t>((c | 0x20) - 'a' + 10);
    if (digit >= base) return std::nullopt;
    if (value > (static_cast<uint64_t>(INT64_MAX) - digit) / base) return std::nullopt;
    value = value * base + digit;
    any = true;
  }
  return any ? std::optional(static_cast<int64_t>(value)) : std::nullopt;
}

}  // namespace

bool IsMetricIdentifier(Tok type) {
  switch (type) {
    case Tok::kIdentifier:
    case Tok::kMetricIdentifier:
    case Tok::kAnd:
    case Tok::kOr:
    case Tok::kUnless:
    case Tok::kBy:
    case Tok::kWithout:
    case Tok::kOffset:
    case Tok::kFill:
    case Tok::kFillLeft:
    case Tok::kFillRight:
    case Tok::kAnchored:
    case Tok::kSmoothed:
      return true;
    default:
      return IsAggregation(type) || IsGrammarFunction(type);
  }
}

bool StartsExpression(Tok type) {
  switch (type) {
    case Tok::kAdd:
    case Tok::kSub:
    case Tok::kNumber:
    case Tok::kDuration:
    case Tok::kString:
    case Tok::kLeftParen:
    case Tok::kLeftBrace:
      return true;
    default:
      return IsMetricIdentifier(type);
  }
}

ExprPtr Parser::Expression(int precedence_min) {
  if (!Enter()) return nullptr;
  ExprPtr e = Operand();
  while (e) {
    int precedence = BinaryPrecedence(Peek());
    if (precedence == 0 || precedence < precedence_min) break;
    Token op = Take();
    e = Binary(op, std::move(e), precedence);
  }
  Leave();
  return e;
}

// A sign binds as tight as *: -1^2 is -(1^2), -1*2 is (-1)*2.
ExprPtr Parser::Operand() {
  if (!IsSign(Peek())) {
    ExprPtr e = Primary();
    return e ? Modifiers(std::move(e)) : nullptr;
  }
  std::vector<Token> signs;
  while (IsSign(Peek())) signs.push_back(Take());
  return ApplySigns(signs, Expression(kPowPrecedence));
}

ExprPtr Parser::ApplySigns(const std::vector<Token>& signs, ExprPtr operand) {
  for (size_t i = signs.size(); operand && i-- > 0;) {
    const bool minus = signs[i].type == Tok::kSub;
    if (operand->kind == NodeKind::kNumber) {
      auto& number = static_cast<NumberLiteral&>(*operand);
      if (minus) number.value *= -1;
      number.pos.start = signs[i].pos;
      continue;
    }
    auto node = std::make_unique<UnaryExpr>();
    node->minus = minus;
    node->pos = {signs[i].pos, operand->pos.end};
    const bool fits = Grow(*node, operand.get());
    node->expr = std::move(operand);
    if (!fits) return nullptr;
    operand = std::move(node);
  }
  return operand;
}

ExprPtr Parser::Primary() {
  const Tok type = Peek();
  switch (type) {
    case Tok::kNumber:
    case Tok::kDuration:
      return Number(Take());
    case Tok::kString:
      return String(Take());
    case Tok::kLeftParen:
      return Paren();
    case Tok::kLeftBrace:
      return Selector(std::nullopt);
    default:
      break;
  }
  if (!IsMetricIdentifier(type)) return Unexpected();
  Token name = Take();
  if (IsAggregation(type) && (Peek() == Tok::kLeftParen || Peek() == Tok::kBy || Peek() == Tok::kWithout)) {
    return Aggregation(name);
  }
  if ((type == Tok::kIdentifier || IsGrammarFunction(type)) && Peek() == Tok::kLeftParen) return FunctionCall(name);
  return Selector(name);
}

ExprPtr Parser::Paren() {
  Token open = Take();
  ExprPtr inner = Expression(1);
  if (!inner || !Expect(Tok::kRightParen)) return nullptr;
  auto node = std::make_unique<ParenExpr>();
  node->pos = {open.pos, taken_end_};
  const bool fits = Grow(*node, inner.get());
  node->expr = std::move(inner);
  return fits ? std::move(node) : nullptr;
}

// A number, or a duration as its seconds.
double Parser::NumberValue(const Token& token) {
  if (token.type == Tok::kDuration) {
    Result<int64_t> ms = ParsePromDuration(token.text);
    if (!ms.ok()) {
      Fail(token.pos, std::string(ms.status().message()));
      return 0;
    }
    const int64_t whole = *ms / 1000;
    return static_cast<double>(whole) + static_cast<double>(*ms % 1000) / 1000;
  }
  std::string digits(token.text);
  if (UnderscoresFit(digits)) {
    std::erase(digits, '_');
    if (std::optional<int64_t> integer = ParseInteger(digits)) return static_cast<double>(*integer);
  }
  Result<double> value = ParseFloat(digits);
  if (value.ok()) return *value;
  const Status failure = value.status();
  std::string_view why = failure.message();  // of the digits alone
  why = why.substr(why.rfind(": ") + 2);
  Fail(token.pos, fmt::format("error parsing number: strconv.ParseFloat: parsing {}: {}", GoQuote(token.text), why));
  return 0;
}

std::unique_ptr<NumberLiteral> Parser::Number(const Token& token) {
  auto node = std::make_unique<NumberLiteral>();
  node->value = NumberValue(token);
  node->is_duration = token.type == Tok::kDuration;
  node->pos = {token.pos, token.end()};
  return failed() ? nullptr : std::move(node);
}

std::optional<double> Parser::SignedNumber() {
  const bool minus = Peek() == Tok::kSub;
  if (minus || Peek() == Tok::kAdd) Take();
  if (Peek() != Tok::kNumber && Peek() != Tok::kDuration) {
    Unexpected();
    return std::nullopt;
  }
  double value = NumberValue(Take());
  if (failed()) return std::nullopt;
  return minus ? -value : value;
}

std::string Parser::Unquoted(const Token& token) {
  std::optional<std::string> text = Unquote(token.text);
  if (text) return *std::move(text);
  Fail(token.pos, fmt::format("error unquoting string {}: invalid syntax", GoQuote(token.text)));
  return {};
}

ExprPtr Parser::String(const Token& token) {
  auto node = std::make_unique<StringLiteral>();
  node->value = Unquoted(token);
  node->pos = {token.pos, token.end()};
  return failed() ? nullptr : std::move(node);
}

}  // namespace gauntlet::promql
