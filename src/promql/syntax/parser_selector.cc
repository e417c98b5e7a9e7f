// Selectors and label sets: name{label="value"}.

#include "promql/syntax/parser_core.h"

namespace gauntlet::promql {

std::unique_ptr<VectorSelector> Parser::Selector(std::optional<Token> name) {
  auto node = std::make_unique<VectorSelector>();
  if (name) node->pos = {name->pos, name->end()};
  if (Peek() == Tok::kLeftBrace) {
    if (!name) node->pos.start = token_.pos;
    if (!LabelMatchers(*node)) return nullptr;
    node->pos.end = taken_end_;
  }
  if (name) {
    node->name = name->text;
    node->matchers.push_back(Matcher::Equal(std::string(kMetricName), node->name));
  }
  return node;
}

bool Parser::LabelMatchers(VectorSelector& selector) {
  constexpr const char* kWhere = "label matching";
  Take();
  if (Accept(Tok::kRightBrace)) return true;
  while (true) {
    Context context(*this, kWhere, "identifier or \"}\"");
    if (!LabelMatcher(selector)) return false;
    context.Change(kWhere, "\",\" or \"}\"");
    if (Peek() != Tok::kComma) return Expect(Tok::kRightBrace);
    Take();
    if (Accept(Tok::kRightBrace)) return true;
  }
}

// name="value", "name"="value", or "metric name".
bool Parser::LabelMatcher(VectorSelector& selector) {
  if (Peek() != Tok::kIdentifier && Peek() != Tok::kString) {
    Unexpected();
    return false;
  }
  Token name = Take();
  std::string text = name.type == Tok::kString ? Unquoted(name) : std::string(name.text);
  switch (Peek()) {
    case Tok::kAssign:
    case Tok::kNotEqual:
    case Tok::kEqualRegex:
    case Tok::kNotEqualRegex:
      break;
    default:
      if (name.type == Tok::kString && !failed()) {
        selector.matchers.push_back(Matcher::Equal(std::string(kMetricName), std::move(text)));
        return true;
      }
      Context context(*this, "label matching", "label matching operator");
      Unexpected();
      return false;
  }
  Token op = Take();
  if (Peek() != Tok::kString) {
    Context context(*this, "label matching", "string");
    Unexpected();
    return false;
  }
  return AddMatcher(selector, name, std::move(text), op, Take());
}

bool Parser::AddMatcher(VectorSelector& selector, const Token& name, std::string name_text, const Token& op,
                        const Token& value) {
  MatchType type = op.type == Tok::kAssign       ? MatchType::kEqual
                   : op.type == Tok::kNotEqual   ? MatchType::kNotEqual
                   : op.type == Tok::kEqualRegex ? MatchType::kRegexp
                                                 : MatchType::kNotRegexp;
  Result<Matcher> matcher = Matcher::Make(type, std::move(name_text), Unquoted(value));
  if (!matcher.ok()) Fail(name.pos, std::string(matcher.status().message()));
  if (failed()) return false;
  selector.matchers.push_back(*std::move(matcher));
  return true;
}

// name, {labels}, both or nothing.
bool Parser::MetricPairs(Pairs& pairs) {
  std::optional<Token> name;
  if (IsMetricIdentifier(Peek())) name = Take();
  if (Peek() == Tok::kLeftBrace && !LabelSet(pairs)) return false;
  if (name) pairs.emplace_back(kMetricName, name->text);
  return !failed();
}

bool Parser::LabelSet(Pairs& pairs) {
  constexpr const char* kWhere = "label set";
  Take();
  if (Accept(Tok::kRightBrace)) return true;
  while (true) {
    Context context(*this, kWhere, "identifier or \"}\"");
    if (!LabelSetItem(pairs)) return false;
    context.Change(kWhere, "\",\" or \"}\"");
    if (Peek() != Tok::kComma) return Expect(Tok::kRightBrace);
    Take();
    if (Accept(Tok::kRightBrace)) return true;
  }
}

// name="value", "name"="value", or "metric name".
bool Parser::LabelSetItem(Pairs& pairs) {
  if (Peek() != Tok::kIdentifier && Peek() != Tok::kString) {
    Unexpected();
    return false;
  }
  Token name = Take();
  std::string text = name.type == Tok::kString ? Unquoted(name) : std::string(name.text);
  if (!Accept(Tok::kAssign)) {
    if (name.type == Tok::kString && !failed()) {
      pairs.emplace_back(kMetricName, std::move(text));
      return true;
    }
    Context context(*this, "label set", "\"=\"");
    Unexpected();
    return false;
  }
  if (Peek() != Tok::kString) {
    Context context(*this, "label set", "string");
    Unexpected();
    return false;
  }
  pairs.emplace_back(std::move(text), Unquoted(Take()));
  return !failed();
}

}  // namespace gauntlet::promql
