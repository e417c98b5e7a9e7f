#include <gtest/gtest.h>

#include "model/go/printable.h"
#include "model/labels.h"

namespace gauntlet {
namespace {

TEST(GoQuote, EscapesAsStrconvDoes) {
  using namespace std::string_literals;
  EXPECT_EQ(GoQuote("a\"b\\c\n\t\r\a\b\f\v\0\x7f"s), R"("a\"b\\c\n\t\r\a\b\f\v\x00\x7f")");
  EXPECT_EQ(GoQuote("é世界'"), "\"é世界'\"");
  EXPECT_EQ(GoQuote("\xc2\xa0\xe2\x80\xa8\xef\xbf\xbd😀\xc2\xad"), "\"\\u00a0\\u2028\xef\xbf\xbd😀\\u00ad\"");
  EXPECT_EQ(GoQuote("\xff\xc3"), R"("\xff\xc3")");
  EXPECT_EQ(GoQuote("\xf3\xa0\x80\x81"), R"("\U000e0001")");
  EXPECT_EQ(GoQuote(""), "\"\"");
}

TEST(GoQuote, PrintableCountsAreGos) {
  int low = 0, high = 0;
  for (char32_t r = 0; r < 0x10000; ++r) low += IsPrintable(r);
  for (char32_t r = 0x10000; r < 0x110000; ++r) high += IsPrintable(r);
  EXPECT_EQ(low, 55508);
  EXPECT_EQ(high, 93490);
}

}  // namespace
}  // namespace gauntlet
