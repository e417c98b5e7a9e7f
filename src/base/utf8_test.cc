#include "base/utf8.h"

#include <gtest/gtest.h>

namespace gauntlet {
namespace {

TEST(Utf8, EveryScalarValueReadsBackAsWritten) {
  for (char32_t rune = 0; rune < 0x110000; ++rune) {
    if (rune >= 0xd800 && rune < 0xe000) continue;
    std::string text;
    AppendRune(text, rune);
    Rune back = DecodeRune(text + "x");
    ASSERT_TRUE(back.valid) << static_cast<uint32_t>(rune);
    ASSERT_EQ(static_cast<uint32_t>(back.value), static_cast<uint32_t>(rune));
    ASSERT_EQ(back.bytes, text.size());
  }
}

TEST(Utf8, RefusesWhatIsNotShortestFormOrNotScalar) {
  for (const char* bad : {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
                          "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xc3", "\xe2\x82", "\xc3x"}) {
    EXPECT_FALSE(ValidUtf8(bad)) << bad;
    EXPECT_EQ(DecodeRune(bad).bytes, 1u);
  }
  EXPECT_TRUE(ValidUtf8(""));
  EXPECT_TRUE(ValidUtf8("plain text, longer than a word, é, 世界, 😀"));
}

TEST(Utf8, ReplacesEachBrokenByteByItself) {
  EXPECT_EQ(ReplaceInvalidUtf8("a\xff\xc3"), "a\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(ReplaceInvalidUtf8("a\xe2\x82z"), "a\xef\xbf\xbd\xef\xbf\xbdz");
}

TEST(Utf8, AsciiPrefixStopsAtTheFirstHighByte) {
  EXPECT_EQ(AsciiPrefix("0123456789\xc3\xa9"), 10u);
  EXPECT_EQ(AsciiPrefix("0123456"), 7u);
  EXPECT_EQ(AsciiPrefix("01234\xff\x30\x30\x30"), 5u);
}

}  // namespace
}  // namespace gauntlet
