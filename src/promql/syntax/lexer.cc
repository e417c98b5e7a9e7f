#include "promql/syntax/lexer.h"

#include "base/utf8.h"
#include "promql/syntax/characters.h"
#include "promql/syntax/string_literal.h"

namespace gauntlet::promql {

int Lexer::Peek() const {
  if (AtEnd()) return kEndOfInput;
  unsigned char c = static_cast<unsigned char>(input_[pos_]);
  return c < 0x80 ? c : static_cast<int>(DecodeRune(input_.substr(pos_)).value);
}

int Lexer::Take() {
  if (AtEnd()) return kEndOfInput;
  unsigned char c = static_cast<unsigned char>(input_[pos_]);
  if (c < 0x80) {
    pos_++;
    return c;
  }
  Rune rune = DecodeRune(input_.substr(pos_));
  pos_ += rune.bytes;
  return static_cast<int>(rune.value);
}

bool Lexer::AcceptAny(std::string_view bytes) {
  if (AtEnd() || bytes.find(input_[pos_]) == bytes.npos) return false;
  pos_++;
  return true;
}

bool Lexer::AcceptOne(char c) {
  if (AtEnd() || input_[pos_] != c) return false;
  pos_++;
  return true;
}

void Lexer::SkipSpaces() {
  while (!AtEnd() && IsSpace(input_[pos_])) pos_++;
  start_ = pos_;
}

void Lexer::SkipComment() {
  while (!AtEnd() && input_[pos_] != '\n' && input_[pos_] != '\r') pos_++;
  start_ = pos_;
}

void Lexer::Emit(Tok type) {
  token_ = {type, static_cast<int>(start_), Pending()};
  start_ = pos_;
  emitted_ = true;
}

void Lexer::EmitTaking(Tok type) {
  pos_++;
  Emit(type);
}

void Lexer::Fail(std::string message) {
  token_ = {Tok::kError, static_cast<int>(start_), {}};
  error_ = std::move(message);
  emitted_ = true;
}

Token Lexer::Next() {
  emitted_ = false;
  while (!emitted_) {
    switch (state_) {
      case State::kStatements:
        LexStatements();
        break;
      case State::kInsideBraces:
        LexInsideBraces();
        break;
      case State::kDurationExpr:
        LexDurationExpr();
        break;
      case State::kValueSequence:
        LexValueSequence();
        break;
      case State::kHistogram:
        LexHistogram();
        break;
      case State::kBucketNumber:
        state_ = State::kHistogram;
        LexNumber();
        break;
    }
  }
  return token_;
}

void Lexer::LexStatements() {
  if (histogram_ != Histogram::kNone) {
    state_ = State::kHistogram;
    return;
  }
  if (brace_open_) {
    state_ = State::kInsideBraces;
    return;
  }
  if (AtEnd()) {
    if (paren_depth_ != 0) return Fail("unclosed left parenthesis");
    if (bracket_open_) return Fail("unclosed left bracket");
    return Emit(Tok::kEof);
  }
  char c = input_[pos_];
  if (c == '#') return SkipComment();
  if (IsSpace(c)) return SkipSpaces();
  if (IsDigit(c) || (c == '.' && pos_ + 1 < input_.size() && IsDigit(input_[pos_ + 1]))) return LexNumberOrDuration();
  if (IsAlpha(c) || c == ':') return LexWordOrColon();
  switch (c) {
    case '"':
    case '\'':
      return LexString();
    case '`':
      return LexRawString();
    case '(':
      paren_depth_++;
      return EmitTaking(Tok::kLeftParen);
    case ')':
      return LexRightParen();
    case '{':
      brace_open_ = true;
      state_ = State::kInsideBraces;
      return EmitTaking(Tok::kLeftBrace);
    case '[':
      pos_++;
      if (bracket_open_) return Fail("unexpected left bracket '['");
      got_colon_ = false;
      Emit(Tok::kLeftBracket);
      SkipSpaces();
      bracket_open_ = true;
      state_ = State::kDurationExpr;
      return;
    case ']':
      pos_++;
      if (!bracket_open_) return Fail("unexpected right bracket ']'");
      bracket_open_ = false;
      return Emit(Tok::kRightBracket);
    default:
      return LexOperator(c);
  }
}

bool Lexer::LexOneByteOperator(char c) {
  switch (c) {
    case ',':
      EmitTaking(Tok::kComma);
      return true;
    case '*':
      EmitTaking(Tok::kMul);
      return true;
    case '/':
      EmitTaking(Tok::kDiv);
      return true;
    case '%':
      EmitTaking(Tok::kMod);
      return true;
    case '+':
      EmitTaking(Tok::kAdd);
      return true;
    case '-':
      EmitTaking(Tok::kSub);
      return true;
    case '^':
      EmitTaking(Tok::kPow);
      return true;
    default:
      return false;
  }
}

void Lexer::LexOperator(char c) {
  if (LexOneByteOperator(c)) return;
  switch (c) {
    case '=':
      pos_++;
      if (PeekByte() == '~') return Fail("unexpected character after '=': '~'");
      return AcceptOne('=') ? Emit(Tok::kEqual) : Emit(Tok::kAssign);
    case '!': {
      pos_++;
      int next = Take();
      if (next != '=') return Fail("unexpected character after '!': " + QuoteRune(static_cast<char32_t>(next)));
      return Emit(Tok::kNotEqual);
    }
    case '<':
      pos_++;
      if (AcceptOne('=')) return Emit(Tok::kLessEqual);
      return AcceptOne('/') ? Emit(Tok::kTrimUpper) : Emit(Tok::kLess);
    case '>':
      pos_++;
      if (AcceptOne('=')) return Emit(Tok::kGreaterEqual);
      return AcceptOne('/') ? Emit(Tok::kTrimLower) : Emit(Tok::kGreater);
    case '@':
      return EmitTaking(Tok::kAt);
    default:
      return Fail("unexpected character: " + QuoteRune(static_cast<char32_t>(Take())));
  }
}

// At a letter or a colon.
void Lexer::LexWordOrColon() {
  if (!bracket_open_) return LexKeywordOrIdentifier();
  int first = Take();
  if (first == ':') {
    if (got_colon_) return Fail("unexpected colon ':'");
    got_colon_ = true;
    return Emit(Tok::kColon);
  }
  if (StartsDurationKeyword(static_cast<char>(first)) && LexDurationKeyword()) return;
  Fail("unexpected character: " + QuoteRune(static_cast<char32_t>(first)) + ", expected ':'");
}

void Lexer::LexRightParen() {
  EmitTaking(Tok::kRightParen);
  if (--paren_depth_ < 0) Fail("unexpected right parenthesis ')'");
}

// Between { and }: names and strings; keywords are names.
void Lexer::LexInsideBraces() {
  if (AtEnd()) return Fail("unexpected end of input inside braces");
  char c = input_[pos_];
  if (c == '#') return SkipComment();
  if (IsSpace(c)) return SkipSpaces();
  if (IsAlpha(c)) {
    while (!AtEnd() && IsAlphaNumeric(input_[pos_])) pos_++;
    return Emit(Tok::kIdentifier);
  }
  switch (c) {
    case ',':
      return EmitTaking(Tok::kComma);
    case '"':
    case '\'':
      return LexString();
    case '`':
      return LexRawString();
    case '=':
      pos_++;
      return AcceptOne('~') ? Emit(Tok::kEqualRegex) : Emit(Tok::kAssign);
    case '!': {
      pos_++;
      int next = Take();
      if (next == '~') return Emit(Tok::kNotEqualRegex);
      if (next == '=') return Emit(Tok::kNotEqual);
      return Fail("unexpected character after '!' inside braces: " + QuoteRune(static_cast<char32_t>(next)));
    }
    case '{':
      pos_++;
      return Fail("unexpected left brace '{'");
    case '}':
      brace_open_ = false;
      state_ = series_ ? State::kValueSequence : State::kStatements;
      return EmitTaking(Tok::kRightBrace);
    default:
      return Fail("unexpected character inside braces: " + QuoteRune(static_cast<char32_t>(Take())));
  }
}

// Between [ and ], until the first number: from there on LexStatements goes on.
void Lexer::LexDurationExpr() {
  if (AtEnd()) return Fail("unexpected end of input in duration expression");
  char c = input_[pos_];
  if (IsSpace(c)) return SkipSpaces();
  if (IsDigit(c) || (c == '.' && pos_ + 1 < input_.size() && IsDigit(input_[pos_ + 1]))) {
    got_duration_ = true;
    state_ = State::kStatements;
    return LexNumberOrDuration();
  }
  if (LexOneByteOperator(c)) return;
  switch (c) {
    case ']':
      bracket_open_ = got_colon_ = false;
      state_ = State::kStatements;
      return EmitTaking(Tok::kRightBracket);
    case ':':
      EmitTaking(Tok::kColon);
      if (!got_duration_) return Fail("unexpected colon before duration in duration expression");
      if (got_colon_) return Fail("unexpected repeated colon in duration expression");
      got_colon_ = true;
      return;
    case '(':
      paren_depth_++;
      return EmitTaking(Tok::kLeftParen);
    case ')':
      return LexRightParen();
    default: {
      int first = Take();
      if (first < 0x80 && StartsDurationKeyword(static_cast<char>(first)) && LexDurationKeyword()) return;
      return Fail("unexpected character in duration expression: " + QuoteRune(static_cast<char32_t>(first)));
    }
  }
}

}  // namespace gauntlet::promql
