#include "net/text.h"

#include <gtest/gtest.h>

namespace gauntlet::net {
namespace {

TEST(SameToken, DiffersInMoreThanCaseOnly) {
  EXPECT_TRUE(SameToken("Content-TYPE", "content-type"));
  EXPECT_FALSE(SameToken("gzip", "gzip2"));
  EXPECT_FALSE(SameToken("a[", "a{"));  // 32 apart as letters of two cases are
}

TEST(TrimBlanks, TakesSpacesAndTabsOffBothEnds) {
  EXPECT_EQ(TrimBlanks(" \t a b\t "), "a b");
  EXPECT_EQ(TrimBlanks(" \t"), "");
  EXPECT_EQ(TrimBlanks("a\n"), "a\n");
}

TEST(HexDigit, KnowsBothCases) {
  EXPECT_EQ(HexDigit('9'), 9);
  EXPECT_EQ(HexDigit('a'), 10);
  EXPECT_EQ(HexDigit('F'), 15);
  EXPECT_EQ(HexDigit('g'), -1);
  EXPECT_EQ(HexDigit('/'), -1);
}

TEST(PercentDecode, PlusIsASpaceOnlyInForms) {
  EXPECT_EQ(*PercentDecode("a+b%2Bc", true), "a b+c");
  EXPECT_EQ(*PercentDecode("a+b%2bc", false), "a+b+c");
  EXPECT_EQ(*PercentDecode("%41", false), "A");
}

TEST(PercentEncode, LeavesTheUnreservedAlone) { EXPECT_EQ(PercentEncode("aZ09-_.~/ \xff"), "aZ09-_.~%2F%20%FF"); }

TEST(EscapeMarkup, LeavesNothingThatEndsContentOrQuotes) {
  EXPECT_EQ(EscapeMarkup("a<b>&\"c'\n\xc3\xa9"), "a&lt;b&gt;&amp;&quot;c&apos;\n\xc3\xa9");
}

}  // namespace
}  // namespace gauntlet::net
