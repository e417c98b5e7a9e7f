// Lexer: cuts a query, or a series description, into tokens on demand.
//
// What a character means depends on where it stands: keywords are identifiers inside braces, a colon is part of a name
// outside brackets, and a series description switches to its values after the metric. Upstream's oddities are kept,
// since error texts show them.
//
// Upstream: prometheus promql/parser/lex.go
// Threads:  one thread at a time. Tokens borrow the input.

#pragma once

#include <string>
#include <string_view>

#include "promql/syntax/token.h"

namespace gauntlet::promql {

class Lexer {
 public:
  enum class Language { kExpression, kSeriesDescription };
  explicit Lexer(std::string_view input, Language language = Language::kExpression)
      : input_(input), series_(language == Language::kSeriesDescription) {}

  // The next token, comments left out. Not to be asked again after kError or kEof.
  Token Next();
  // Why the last token was kError; it stands at the token's pos.
  const std::string& error() const { return error_; }
  std::string_view input() const { return input_; }

 private:
  enum class State { kStatements, kInsideBraces, kDurationExpr, kValueSequence, kHistogram, kBucketNumber };
  enum class Histogram { kNone, kOpen, kMul, kAdd, kSub };

  // The rune at the cursor; kEndOfInput at the end, U+FFFD for a broken byte.
  static constexpr int kEndOfInput = -1;
  int Peek() const;
  int Take();
  char PeekByte() const { return pos_ < input_.size() ? input_[pos_] : '\0'; }
  bool AtEnd() const { return pos_ >= input_.size(); }
  bool AcceptAny(std::string_view bytes);
  bool AcceptOne(char c);
  void SkipSpaces();
  void SkipComment();
  bool FollowedByLeftParen() const;
  std::string_view Pending() const { return input_.substr(start_, pos_ - start_); }

  void Emit(Tok type);
  void EmitTaking(Tok type);  // after one more byte
  void Fail(std::string message);

  void LexStatements();
  void LexOperator(char c);
  bool LexOneByteOperator(char c);
  void LexWordOrColon();
  void LexInsideBraces();
  void LexDurationExpr();
  void LexRightParen();

  bool ScanNumber();
  bool ScanRestOfDuration();
  void LexNumber();
  void LexNumberOrDuration();
  bool LexDurationKeyword();
  void LexKeywordOrIdentifier();
  void LexString();
  bool LexEscape(char quote);
  void LexRawString();

  void LexValueSequence();
  void LexHistogram();
  bool LexHistogramRepetition();
  void LexHistogramWord();
  void LexBuckets();

  std::string_view input_;
  const bool series_;
  State state_ = State::kStatements;
  size_t pos_ = 0, start_ = 0;  // the cursor; where the pending token starts
  bool emitted_ = false;
  Token token_;
  std::string error_;

  int paren_depth_ = 0;
  bool brace_open_ = false, bracket_open_ = false;
  bool got_colon_ = false, got_duration_ = false;  // within the brackets; the second is never cleared, as upstream
  Histogram histogram_ = Histogram::kNone;
};

}  // namespace gauntlet::promql
