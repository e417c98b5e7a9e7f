#include "promql/syntax/lexer.h"

#include <gtest/gtest.h>

#include <vector>

#include "promql/syntax/string_literal.h"

namespace gauntlet::promql {
namespace {

std::vector<std::string> Lex(std::string_view input, Lexer::Language language = Lexer::Language::kExpression) {
  Lexer lexer(input, language);
  std::vector<std::string> out;
  while (true) {
    Token token = lexer.Next();
    if (token.type == Tok::kEof) return out;
    if (token.type == Tok::kError) {
      out.push_back("! " + lexer.error() + " @" + std::to_string(token.pos));
      return out;
    }
    out.push_back(Describe(token));
  }
}

using Texts = std::vector<std::string>;

TEST(Lexer, KeywordsInAnyCaseButNotInBraces) {
  EXPECT_EQ(Lex("SUM By oFFset"), (Texts{"<aggr:SUM>", "<By>", "<oFFset>"}));
  EXPECT_EQ(Lex("{sum}"), (Texts{"\"{\"", "identifier \"sum\"", "\"}\""}));
  EXPECT_EQ(Lex("fill fill("), (Texts{"identifier \"fill\"", "<fill>", "\"(\"", "! unclosed left parenthesis @10"}));
}

TEST(Lexer, ColonsAreOfNamesOutsideBracketsOnly) {
  EXPECT_EQ(Lex("a:b"), (Texts{"metric identifier \"a:b\""}));
  EXPECT_EQ(Lex("a[5m:1m]"),
            (Texts{"identifier \"a\"", "\"[\"", "duration \"5m\"", "\":\"", "duration \"1m\"", "\"]\""}));
}

TEST(Lexer, CommentsEndWithTheLine) {
  EXPECT_EQ(Lex("1 # 2\n3"), (Texts{"number \"1\"", "number \"3\""}));
  EXPECT_EQ(Lex("{ # }\r}"), (Texts{"\"{\"", "\"}\""}));
}

TEST(Lexer, LongTextsAreCutInDescriptions) {
  EXPECT_EQ(Lex("'123456789'"), (Texts{"string \"'123456789\"..."}));
  EXPECT_EQ(Lex("`äöü4567890`"), (Texts{"string \"`äöü456789\"..."}));
}

TEST(Lexer, ErrorsStandWhereTheTokenStarts) {
  EXPECT_EQ(Lex("  1.2.3"), (Texts{"! bad number or duration syntax: \"1.2.\" @2"}));
  EXPECT_EQ(Lex("a\xff"), (Texts{"identifier \"a\"", "! unexpected character: '\ufffd' @1"}));
  EXPECT_EQ(Lex("\"\xff\""), (Texts{"! invalid UTF-8 rune @0"}));
  EXPECT_EQ(Lex("`a"), (Texts{"! unterminated raw string @0"}));
  EXPECT_EQ(Lex("'a\\u12"), (Texts{"! escape sequence not terminated @0"}));
  EXPECT_EQ(Lex("'\\u12\a'"), (Texts{"! illegal character U+0007 in escape sequence @0"}));
  EXPECT_EQ(Lex("a)"), (Texts{"identifier \"a\"", "! unexpected right parenthesis ')' @2"}));
}

TEST(Lexer, SeriesDescriptionSwitchesToValues) {
  EXPECT_EQ(Lex("a{b='c'} 1+2x3 _ stale", Lexer::Language::kSeriesDescription),
            (Texts{"identifier \"a\"", "\"{\"", "identifier \"b\"", "\"=\"", "string \"'c'\"", "\"}\"", "\" \"",
                   "number \"1\"", "<op:+>", "number \"2\"", "\"x\"", "number \"3\"", "\" \"", "\"_\"", "\" \"",
                   "identifier \"stale\""}));
  EXPECT_EQ(Lex("a {{sum:-1 buckets:[2 Inf]}}x3", Lexer::Language::kSeriesDescription),
            (Texts{"identifier \"a\"", "\" \"", "\"{{\"", "\"sum\"", "\":\"", "<op:->", "number \"1\"", "\" \"",
                   "\"buckets\"", "\":\"", "\"[\"", "number \"2\"", "\" \"", "number \"Inf\"", "\"]\"", "\"}}\"",
                   "\"x\"", "number \"3\""}));
  EXPECT_EQ(Lex("a 0x1", Lexer::Language::kSeriesDescription),
            (Texts{"identifier \"a\"", "\" \"", "number \"0\"", "\"x\"", "number \"1\""}));
}

TEST(StringLiteral, UnquotesGoEscapes) {
  EXPECT_EQ(Unquote("\"a\\n\\x41\\101\\u00e9\\U0001F600'\\\"\""), "a\nAA\u00e9\U0001F600'\"");
  EXPECT_EQ(Unquote("'\\'\"'"), "'\"");
  EXPECT_EQ(Unquote("`\\n\n`"), "\\n\n");
  for (std::string_view bad : {"", "\"", "\"a", "\"a'", "'''", "\"\\q\"", "\"\\'\"", "\"\\x4\"", "\"\\400\"",
                               "\"\\U00110000\"", "\"\n\"", "\"\\\"", "`a`b`", "abba"}) {
    EXPECT_FALSE(Unquote(bad)) << bad;
  }
}

}  // namespace
}  // namespace gauntlet::promql
