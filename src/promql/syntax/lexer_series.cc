// The lexer's part for the values of a series description: 1+2x5 _ stale {{schema:0 buckets:[1 2]}}x3

#include "model/labels.h"
#include "promql/syntax/characters.h"
#include "promql/syntax/lexer.h"
#include "promql/syntax/string_literal.h"

namespace gauntlet::promql {

void Lexer::LexValueSequence() {
  if (histogram_ != Histogram::kNone) {
    state_ = State::kHistogram;
    return;
  }
  if (AtEnd()) {
    state_ = State::kStatements;
    return;
  }
  char c = input_[pos_];
  if (IsSpace(c)) {
    EmitTaking(Tok::kSpace);
    return SkipSpaces();
  }
  if (c == '{' && pos_ + 1 < input_.size() && input_[pos_ + 1] == '{') {
    histogram_ = Histogram::kOpen;
    state_ = State::kHistogram;
    pos_++;
    return EmitTaking(Tok::kOpenHistogram);
  }
  if (IsDigit(c) || (c == '.' && pos_ + 1 < input_.size() && IsDigit(input_[pos_ + 1]))) return LexNumber();
  switch (c) {
    case '+':
      return EmitTaking(Tok::kAdd);
    case '-':
      return EmitTaking(Tok::kSub);
    case 'x':
      return EmitTaking(Tok::kTimes);
    case '_':
      return EmitTaking(Tok::kBlank);
    default:
      break;
  }
  if (IsAlpha(c)) return LexKeywordOrIdentifier();
  Fail("unexpected character in series sequence: " + QuoteRune(static_cast<char32_t>(Take())));
}

// The x, + or - right after a histogram. False when there is none.
bool Lexer::LexHistogramRepetition() {
  Tok type;
  switch (histogram_) {
    case Histogram::kMul:
      type = Tok::kTimes;
      break;
    case Histogram::kAdd:
      type = Tok::kAdd;
      break;
    case Histogram::kSub:
      type = Tok::kSub;
      break;
    default:
      return false;
  }
  histogram_ = Histogram::kNone;
  state_ = State::kValueSequence;
  EmitTaking(type);
  return true;
}

void Lexer::LexHistogram() {
  if (LexHistogramRepetition()) return;
  if (bracket_open_) return LexBuckets();
  int c = Take();
  switch (c) {
    case ' ':
    case '\t':
    case '\n':
    case '\r':
      Emit(Tok::kSpace);
      return SkipSpaces();
    case ':':
      return Emit(Tok::kColon);
    case '-':
      return Emit(Tok::kSub);
    case '[':
      bracket_open_ = true;
      got_colon_ = got_duration_ = false;
      return Emit(Tok::kLeftBracket);
    case '}':
      if (!AcceptOne('}')) break;
      Emit(Tok::kCloseHistogram);
      switch (PeekByte()) {
        case 'x':
          histogram_ = Histogram::kMul;
          return;
        case '+':
          histogram_ = Histogram::kAdd;
          return;
        case '-':
          histogram_ = Histogram::kSub;
          return;
        default:
          histogram_ = Histogram::kNone;
          state_ = State::kValueSequence;
          return;
      }
    default:
      break;
  }
  if (c != kEndOfInput && c < 0x80 && IsAlphaNumeric(static_cast<char>(c))) {
    pos_--;
    return IsDigit(static_cast<char>(c)) ? LexNumber() : LexHistogramWord();
  }
  Fail("histogram description incomplete unexpected: " + QuoteRune(static_cast<char32_t>(c)));
}

void Lexer::LexHistogramWord() {
  while (IsAlpha(PeekByte())) pos_++;
  Tok type = FindHistogramWord(Pending());
  if (type >= Tok::kSumKey && type <= Tok::kCounterResetHintKey) {
    if (PeekByte() != ':') return Fail("missing `:` for histogram descriptor");
    return Emit(type);
  }
  if (type != Tok::kIdentifier) return Emit(type);
  if (FindKeyword(Pending()) == Tok::kNumber) return Emit(Tok::kNumber);
  Fail("bad histogram descriptor found: " + GoQuote(Pending()));
}

void Lexer::LexBuckets() {
  int c = Take();
  if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
    Emit(Tok::kSpace);
    return SkipSpaces();
  }
  if (c == '-') {
    state_ = State::kBucketNumber;
    return Emit(Tok::kSub);
  }
  if (c == ']') {
    bracket_open_ = false;
    return Emit(Tok::kRightBracket);
  }
  if (c != kEndOfInput && c < 0x80 && IsDigit(static_cast<char>(c))) {
    pos_--;
    return LexNumber();
  }
  if (c != kEndOfInput && c < 0x80 && IsAlpha(static_cast<char>(c))) {  // of inf or nan: letters gather until they are
    if (FindKeyword(Pending()) == Tok::kNumber) Emit(Tok::kNumber);
    return;
  }
  Fail("invalid character in buckets description: " + QuoteRune(static_cast<char32_t>(c)));
}

}  // namespace gauntlet::promql
