// Token: what the lexer cuts a query into.
//
// Upstream: prometheus promql/parser/lex.go (Item, ItemType)
// Threads:  values that borrow the query.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gauntlet::promql {

// In groups, for the Is... functions below.
enum class Tok : uint8_t {
  kError,  // the lexer's error() says what
  kEof,
  kIdentifier,
  kMetricIdentifier,  // with a colon
  kString,            // with its quotes
  kNumber,
  kDuration,
  // Punctuation.
  kAssign,  // =
  kBlank,
  kColon,
  kComma,
  kLeftBrace,
  kRightBrace,
  kLeftBracket,
  kRightBracket,
  kLeftParen,
  kRightParen,
  kOpenHistogram,
  kCloseHistogram,
  kSpace,
  kTimes,
  // Operators.
  kAdd,
  kSub,
  kMul,
  kDiv,
  kMod,
  kPow,
  kAtan2,
  kEqual,  // ==
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kAnd,
  kOr,
  kUnless,
  kTrimUpper,
  kTrimLower,
  kEqualRegex,
  kNotEqualRegex,
  kAt,
  // Aggregations, in AggregateOp's order.
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
  // Keywords.
  kBool,
  kBy,
  kGroupLeft,
  kGroupRight,
  kFill,
  kFillLeft,
  kFillRight,
  kIgnoring,
  kOffset,
  kSmoothed,
  kAnchored,
  kOn,
  kWithout,
  // Functions that the grammar knows.
  kStart,
  kEnd,
  kStep,
  kRange,
  kMaxOf,
  kMinOf,
  // Keys of a histogram in a series description.
  kSumKey,
  kCountKey,
  kSchemaKey,
  kOffsetKey,
  kNegativeOffsetKey,
  kBucketsKey,
  kNegativeBucketsKey,
  kZeroBucketKey,
  kZeroBucketWidthKey,
  kCustomValuesKey,
  kCounterResetHintKey,
  // Values of counter_reset_hint, in CounterResetHint's order.
  kHintUnknown,
  kHintReset,
  kHintNotReset,
  kHintGauge,
};

inline bool IsSign(Tok t) { return t == Tok::kAdd || t == Tok::kSub; }
inline bool IsOperator(Tok t) { return t >= Tok::kAdd && t <= Tok::kAt; }
inline bool IsAggregation(Tok t) { return t >= Tok::kSum && t <= Tok::kLimitRatio; }
inline bool IsKeyword(Tok t) { return t >= Tok::kBool && t <= Tok::kWithout; }
inline bool IsGrammarFunction(Tok t) { return t >= Tok::kStart && t <= Tok::kMinOf; }

struct Token {
  Tok type = Tok::kEof;
  int pos = 0;            // byte offset of its first byte
  std::string_view text;  // as written
  int end() const { return pos + static_cast<int>(text.size()); }
};

// As error messages name it: `<op:+>`, `identifier "foo"`, `end of input`.
std::string Describe(const Token& token);

// The keyword, operator, aggregation or number (inf, nan) that `word` spells in any case; kIdentifier if none.
Tok FindKeyword(std::string_view word);
// The same for keys of histograms and values of counter_reset_hint.
Tok FindHistogramWord(std::string_view word);

}  // namespace gauntlet::promql
