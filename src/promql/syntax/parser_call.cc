// Function calls and aggregations.

#include <fmt/format.h>

#include "promql/syntax/function_table.h"
#include "promql/syntax/parser_core.h"

namespace gauntlet::promql {
namespace {

// Words that a label may be named; not `without`, as upstream.
bool IsLabelIdentifier(Tok type) {
  switch (type) {
    case Tok::kBool:
    case Tok::kOn:
    case Tok::kIgnoring:
    case Tok::kGroupLeft:
    case Tok::kGroupRight:
    case Tok::kAtan2:
      return true;
    default:
      return IsMetricIdentifier(type) && type != Tok::kWithout;
  }
}

AggregateOp AggregateOpOf(Tok type) {
  return static_cast<AggregateOp>(static_cast<int>(type) - static_cast<int>(Tok::kSum));
}
static_assert(static_cast<int>(Tok::kLimitRatio) - static_cast<int>(Tok::kSum) ==
              static_cast<int>(AggregateOp::kLimitRatio));

}  // namespace

// ( args )
bool Parser::Arguments(std::vector<ExprPtr>& args) {
  if (!Expect(Tok::kLeftParen)) return false;
  if (Accept(Tok::kRightParen)) return true;
  while (true) {
    ExprPtr arg = Expression(1);
    if (!arg) return false;
    args.push_back(std::move(arg));
    if (Peek() != Tok::kComma) return Expect(Tok::kRightParen);
    Token comma = Take();
    if (!StartsExpression(Peek())) {
      Fail(comma.pos, "trailing commas not allowed in function call args");
      return false;
    }
  }
}

ExprPtr Parser::FunctionCall(const Token& name) {
  auto node = std::make_unique<Call>();
  if (!Arguments(node->args)) return nullptr;
  node->pos = {name.pos, taken_end_};
  node->function = FindFunction(name.text);
  if (!node->function || (node->function->x_function && !options_.x_functions)) {
    return Fail(name.pos, "unknown function with name " + GoQuote(name.text));
  }
  if (node->function->experimental && !options_.experimental_functions) {
    return Fail(name.pos, fmt::format("function {} is not enabled", GoQuote(name.text)));
  }
  for (const ExprPtr& arg : node->args) {
    if (!Grow(*node, arg.get())) return nullptr;
  }
  return node;
}

// op [by|without (..)] (args), or the modifier last.
ExprPtr Parser::Aggregation(const Token& op) {
  Context context(*this, "aggregation", nullptr);
  auto node = std::make_unique<AggregateExpr>();
  node->op = AggregateOpOf(op.type);
  std::vector<ExprPtr> args;
  const bool modifier_first = Peek() != Tok::kLeftParen;
  if (modifier_first && !AggregationModifier(*node)) return nullptr;
  if (!Arguments(args)) return nullptr;
  node->pos = {op.pos, taken_end_};
  if (!modifier_first && (Peek() == Tok::kBy || Peek() == Tok::kWithout)) {
    if (!AggregationModifier(*node)) return nullptr;
    node->pos.end = taken_end_;
  }
  if (failed() || !AssignArguments(*node, std::move(args))) return nullptr;
  return node;
}

bool Parser::AggregationModifier(AggregateExpr& node) {
  node.without = Take().type == Tok::kWithout;
  return GroupingLabels(node.grouping);
}

bool Parser::AssignArguments(AggregateExpr& node, std::vector<ExprPtr> args) {
  const int pos = node.pos.start;
  const size_t wanted = AggregateTakesParameter(node.op) ? 2 : 1;
  if (args.empty()) {
    Fail(pos, "no arguments for aggregate expression provided");
  } else if (node.op >= AggregateOp::kLimitK && !options_.experimental_functions) {
    Fail(pos,
         fmt::format("{}() is experimental and must be enabled with --enable-feature=promql-experimental-functions",
                     AggregateOpText(node.op)));
  } else if (args.size() != wanted) {
    Fail(pos, fmt::format("wrong number of arguments for aggregate expression provided, expected {}, got {}", wanted,
                          args.size()));
  }
  if (failed()) return false;
  node.expr = std::move(args.back());
  if (wanted == 2) node.param = std::move(args.front());
  return Grow(node, node.expr.get()) && Grow(node, node.param.get());
}

// ( label, "label", ) ; also empty.
bool Parser::GroupingLabels(std::vector<std::string>& labels) {
  Context context(*this, "grouping opts", "\"(\"");
  if (!Expect(Tok::kLeftParen)) return false;
  context.Change("grouping opts", "label");
  if (Accept(Tok::kRightParen)) return true;
  while (true) {
    if (!GroupingLabel(labels)) return false;
    context.Change("grouping opts", "\",\" or \")\"");
    if (Peek() != Tok::kComma) return Expect(Tok::kRightParen);
    Take();
    context.Change("grouping opts", "label");
    if (Accept(Tok::kRightParen)) return true;
  }
}

bool Parser::GroupingLabel(std::vector<std::string>& labels) {
  if (Peek() != Tok::kString && !IsLabelIdentifier(Peek())) {
    Unexpected();
    return false;
  }
  Token token = Take();
  std::string name = token.type == Tok::kString ? Unquoted(token) : std::string(token.text);
  if (name.empty() || !IsValidUtf8(name)) {
    Fail(token.pos, "invalid label name for grouping: " + GoQuote(name));
    return false;
  }
  labels.push_back(std::move(name));
  return true;
}

}  // namespace gauntlet::promql
