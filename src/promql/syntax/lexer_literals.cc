// The lexer's part for numbers, durations, strings and words.

#include "base/utf8.h"
#include "model/labels.h"
#include "promql/syntax/characters.h"
#include "promql/syntax/lexer.h"
#include "promql/syntax/string_literal.h"

namespace gauntlet::promql {
namespace {

bool IsHexDigit(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool IsExponent(char c) { return c == 'e' || c == 'E'; }

}  // namespace

// Takes what looks like a number: [.]d[d._eE]*, each of "." and "e" once, neither they nor "_" in places that Go
// forbids. Not all that passes is a number: the parser finds out. False leaves the cursor where it went wrong.
bool Lexer::ScanNumber() {
  const size_t first = pos_;
  bool hex = false;
  // In a series description an x repeats.
  if (!series_ && AcceptOne('0') && AcceptAny("xX")) {
    AcceptOne('_');
    hex = true;
  }
  auto is_digit = [&](char c) { return hex ? IsHexDigit(c) : IsDigit(c); };
  AcceptOne('.');
  if (is_digit(PeekByte())) pos_++;
  bool dot = false, exponent = false;
  while (!AtEnd()) {
    const char c = input_[pos_];
    if (c == '.') {
      pos_++;
      if (dot || AcceptAny("_.") || hex) return false;
      dot = true;
    } else if (IsExponent(c)) {
      pos_++;
      if (exponent) return false;
      exponent = true;
      AcceptAny("+-");
      if (AcceptAny("._eE") || AtEnd()) return false;
    } else if (c == '_') {
      pos_++;
      if (AcceptAny("._eE") || AtEnd()) return false;
    } else if (is_digit(c)) {
      while (is_digit(PeekByte())) pos_++;
    } else {
      break;
    }
  }
  if (pos_ == first) return false;
  return (series_ && PeekByte() == 'x') || !IsAlphaNumeric(PeekByte());
}

// After the digits of the first unit.
bool Lexer::ScanRestOfDuration() {
  if (!AcceptAny("smhdwy")) return false;
  AcceptOne('s');  // of ms; the parser finds hs and the like
  while (IsDigit(PeekByte())) {
    while (IsDigit(PeekByte())) pos_++;
    if (!AcceptAny("smhdw")) return false;  // years come first
    AcceptOne('s');
  }
  if (!IsAlphaNumeric(PeekByte())) return true;
  pos_++;  // the error shows it
  return false;
}

void Lexer::LexNumber() {
  if (!ScanNumber()) return Fail("bad number syntax: " + GoQuote(Pending()));
  Emit(Tok::kNumber);
}

void Lexer::LexNumberOrDuration() {
  if (ScanNumber()) return Emit(Tok::kNumber);
  if (ScanRestOfDuration()) return Emit(Tok::kDuration);
  Fail("bad number or duration syntax: " + GoQuote(Pending()));
}

// After the first letter. False, with the word taken, when it is not one.
bool Lexer::LexDurationKeyword() {
  while (IsAlpha(PeekByte())) pos_++;
  Tok type = FindKeyword(Pending());
  if (type != Tok::kStep && type != Tok::kRange && type != Tok::kMinOf && type != Tok::kMaxOf) return false;
  Emit(type);
  return true;
}

bool Lexer::FollowedByLeftParen() const {
  size_t at = pos_;
  while (at < input_.size() && IsSpace(input_[at])) at++;
  return at < input_.size() && input_[at] == '(';
}

void Lexer::LexKeywordOrIdentifier() {
  bool colon = false;
  for (; IsAlphaNumeric(PeekByte()) || PeekByte() == ':'; pos_++) colon |= input_[pos_] == ':';
  Tok type = colon ? Tok::kMetricIdentifier : FindKeyword(Pending());
  // So that metrics may have these names.
  const bool fill = type == Tok::kFill || type == Tok::kFillLeft || type == Tok::kFillRight;
  if (fill && !FollowedByLeftParen()) type = Tok::kIdentifier;
  Emit(type);
  state_ = series_ && PeekByte() != '{' ? State::kValueSequence : State::kStatements;
}

// At the opening quote. The text between the quotes is checked here, and decoded by Unquote.
void Lexer::LexString() {
  state_ = State::kStatements;
  const char quote = input_[pos_++];
  while (true) {
    int rune = Take();
    if (rune == '\\') {
      if (!LexEscape(quote)) return;
    } else if (rune == static_cast<int>(kReplacementRune)) {
      return Fail("invalid UTF-8 rune");
    } else if (rune == kEndOfInput || rune == '\n') {
      return Fail("unterminated quoted string");
    } else if (rune == quote) {
      return Emit(Tok::kString);
    }
  }
}

// After the backslash. False when it failed.
bool Lexer::LexEscape(char quote) {
  int c = Take();
  int digits = 0;
  uint32_t base = 16, max = 0x10ffff;
  switch (c) {
    case 'a':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
    case 'v':
    case '\\':
      return true;
    case 'x':
      digits = 2;
      max = 255;
      break;
    case 'u':
      digits = 4;
      break;
    case 'U':
      digits = 8;
      break;
    case kEndOfInput:
      Fail("escape sequence not terminated");
      return false;
    default:
      if (c == quote) return true;
      if (c < '0' || c > '7') {
        Fail("unknown escape sequence " + CodePointText(static_cast<char32_t>(c)));
        return false;
      }
      digits = 3;
      base = 8;
      max = 255;
      pos_--;  // it is the first digit
  }
  uint32_t value = 0;
  for (; digits > 0; digits--) {
    int rune = Take();
    uint32_t digit = DigitValue(rune);
    if (digit >= base) {
      Fail(rune == kEndOfInput
               ? "escape sequence not terminated"
               : "illegal character " + CodePointText(static_cast<char32_t>(rune)) + " in escape sequence");
      return false;
    }
    value = value * base + digit;
  }
  if (value > max || (value >= 0xd800 && value < 0xe000)) {
    Fail("escape sequence is an invalid Unicode code point");
    return false;
  }
  return true;
}

void Lexer::LexRawString() {
  state_ = State::kStatements;
  pos_++;
  while (true) {
    int rune = Take();
    if (rune == static_cast<int>(kReplacementRune)) return Fail("invalid UTF-8 rune");
    if (rune == kEndOfInput) return Fail("unterminated raw string");
    if (rune == '`') return Emit(Tok::kString);
  }
}

}  // namespace gauntlet::promql
