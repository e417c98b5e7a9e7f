// Parser: recursive descent over the tokens of one query. Internal to this module: parser.h is the way in.
//
// It decides as upstream's LALR grammar does, conflicts and all. Errors too: that parser gives up at the innermost rule
// with an error alternative, and names that rule's context; here a Context stands for such a rule while it is open.
// A method that returns a node returns null after an error; the first error is kept.
//
// Upstream: prometheus promql/parser/generated_parser.y
// Threads:  one thread at a time.

#pragma once

#include <bitset>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "promql/syntax/ast.h"
#include "promql/syntax/lexer.h"
#include "promql/syntax/parser.h"
#include "promql/syntax/series_description.h"
#include "promql/syntax/token.h"

namespace gauntlet::promql {

class Parser {
 public:
  Parser(std::string_view input, const ParserOptions& options, Lexer::Language language)
      : lexer_(input, language), options_(options) {}

  // The start symbols. Each takes the whole input, or leaves an error.
  ExprPtr ParseExpression();
  std::unique_ptr<VectorSelector> ParseSelector();
  std::optional<Labels> ParseMetric();
  SeriesDescription ParseSeries();
  // OK until something went wrong.
  Status status() const;

 private:
  // What an unexpected token is reported as while this lives: " in <where>, expected <expected>".
  class Context {
   public:
    Context(Parser& parser, const char* where, const char* expected)
        : parser_(parser), where_(parser.where_), expected_(parser.expected_) {
      Change(where, expected);
    }
    ~Context() { Change(where_, expected_); }
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;
    void Change(const char* where, const char* expected) {
      parser_.where_ = where;
      parser_.expected_ = expected;
    }

   private:
    Parser& parser_;
    const char* where_;
    const char* expected_;
  };

  // Tokens. Peek reads one ahead, and no sooner than it is needed: the lexer's errors come in order with ours.
  Tok Peek();
  Token Take();
  bool Accept(Tok type);
  bool Expect(Tok type);  // or an error

  // Errors. These return false and null for the convenience of callers.
  std::nullptr_t Fail(int pos, std::string what);
  std::nullptr_t Unexpected();
  bool failed() const { return !what_.empty(); }

  // Depth. Enter counts a recursion, Grow the height of a node over its children, GrowChain that of a binary operator
  // over what is on its left.
  bool Enter();
  void Leave() { depth_--; }
  bool Grow(Expr& node, const Expr* child);
  bool GrowChain(Expr& node, const Expr& left);
  std::nullptr_t TooDeep(int pos);

  // parser_expression.cc
  ExprPtr Expression(int precedence_min);
  ExprPtr Operand();
  ExprPtr ApplySigns(const std::vector<Token>& signs, ExprPtr operand);
  ExprPtr Primary();
  ExprPtr Paren();
  std::unique_ptr<NumberLiteral> Number(const Token& token);
  double NumberValue(const Token& token);
  std::optional<double> SignedNumber();
  ExprPtr String(const Token& token);
  std::string Unquoted(const Token& token);

  // parser_binary.cc
  bool BinaryModifiers(BinaryExpr& node);
  bool GroupModifier(VectorMatching& matching);
  bool FillModifiers(VectorMatching& matching);
  std::optional<double> FillValue();
  ExprPtr Binary(const Token& op, ExprPtr lhs, int precedence);

  // parser_call.cc
  bool Arguments(std::vector<ExprPtr>& args);
  ExprPtr FunctionCall(const Token& name);
  ExprPtr Aggregation(const Token& op);
  bool AggregationModifier(AggregateExpr& node);
  bool AssignArguments(AggregateExpr& node, std::vector<ExprPtr> args);
  bool GroupingLabels(std::vector<std::string>& labels);
  bool GroupingLabel(std::vector<std::string>& labels);

  // parser_modifiers.cc
  ExprPtr Modifiers(ExprPtr e);
  bool Offset(Expr& e);
  bool At(Expr& e);
  bool Extended(Expr& e, bool anchored);
  bool SetOffset(Expr& e, ExprPtr offset);
  ExprPtr RangeOrSubquery(ExprPtr e);
  ExprPtr Range(ExprPtr e, ExprPtr range, int bracket_pos);
  ExprPtr Subquery(ExprPtr e, ExprPtr range);

  // parser_duration.cc
  ExprPtr PositiveDuration();
  ExprPtr OffsetDuration();
  ExprPtr Duration(int precedence_min);
  ExprPtr DurationOperators(ExprPtr lhs, int precedence_min);
  ExprPtr DurationOperand();
  ExprPtr DurationLiteral();
  ExprPtr DurationFunction();
  ExprPtr ParenDuration();
  ExprPtr DurationBinary(const Token& op, ExprPtr lhs, ExprPtr rhs);
  ExprPtr SignDuration(const Token& sign, ExprPtr e);
  ExprPtr Plus(int start, ExprPtr e);
  ExprPtr WrapDuration(ExprPtr e, int start);

  // parser_selector.cc
  std::unique_ptr<VectorSelector> Selector(std::optional<Token> name);
  bool LabelMatchers(VectorSelector& selector);
  bool LabelMatcher(VectorSelector& selector);
  bool AddMatcher(VectorSelector& selector, const Token& name, std::string name_text, const Token& op,
                  const Token& value);
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  bool MetricPairs(Pairs& pairs);
  bool LabelSet(Pairs& pairs);
  bool LabelSetItem(Pairs& pairs);

  // parser_series.cc
  struct HistogramFields {
    std::bitset<256> seen;  // by token
    int64_t offset = 0, negative_offset = 0;
  };
  static bool StartsItem(Tok type);
  bool Item(SeriesItem& item);
  bool HistogramItem(SeriesItem& item);
  bool HistogramValue(Histogram& histogram, bool& hint_set);
  bool HistogramField(Histogram& histogram, HistogramFields& fields);
  bool BucketSet(std::vector<double>& values);
  uint64_t Repetition();
  static uint64_t CountAfterFirst(uint64_t repetitions);
  int64_t SignedInteger();

  Lexer lexer_;
  const ParserOptions& options_;
  Token token_;  // the last one read: ahead while has_ahead_
  bool has_ahead_ = false;
  int taken_end_ = 0;  // of the last token taken
  int depth_ = 0;
  const char* where_ = nullptr;
  const char* expected_ = nullptr;
  int error_pos_ = 0;
  std::string what_;
};

// An error when the text is longer than the options allow.
Status CheckQuerySize(std::string_view text, const ParserOptions& options);
// 1 (or) to 6 (^); 0 for what is no binary operator.
int BinaryPrecedence(Tok type);
inline constexpr int kMulPrecedence = 5, kPowPrecedence = 6;
// May name a metric.
bool IsMetricIdentifier(Tok type);
bool StartsExpression(Tok type);

}  // namespace gauntlet::promql
