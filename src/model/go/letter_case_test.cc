#include "model/go/letter_case.h"

#include <gtest/gtest.h>

namespace gauntlet {
namespace {

TEST(LetterCase, FollowsGoOverAllOfUnicode) {
  EXPECT_EQ(LowerText("Foo-ÜBER 12 ΑΣ"), "foo-über 12 ασ");
  EXPECT_EQ(UpperText("straße ǆ"), "STRAßE Ǆ");
  EXPECT_EQ(UpperText("a\xff"), "A\xef\xbf\xbd");
  // A sum over every rune, which Go 1.26 gives for unicode.ToLower and unicode.ToUpper.
  uint32_t sum = 0;
  for (char32_t r = 0; r <= 0x10ffff; ++r) sum = sum * 31 + LowerRune(r) + 7 * UpperRune(r);
  EXPECT_EQ(sum, 3713792159u);
}

}  // namespace
}  // namespace gauntlet
