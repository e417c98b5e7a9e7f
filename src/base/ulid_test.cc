#include "base/ulid.h"

#include <gtest/gtest.h>

#include <set>

namespace gauntlet {
namespace {

TEST(Ulid, ReadsWhatItWrites) {
  Ulid ulid = Ulid::Make(1469918176385);
  EXPECT_EQ(ulid.unix_ms(), 1469918176385);
  std::string text = ulid.ToString();
  EXPECT_EQ(text.size(), 26u);
  EXPECT_EQ(text.substr(0, 10), "01ARYZ6S41");  // the specification's example
  EXPECT_EQ(Ulid::Parse(text), ulid);
  for (char& c : text) c = static_cast<char>(std::tolower(c));
  EXPECT_EQ(Ulid::Parse(text), ulid);
  EXPECT_EQ(Ulid{}.ToString(), "00000000000000000000000000");
  EXPECT_EQ(Ulid::Parse("7ZZZZZZZZZZZZZZZZZZZZZZZZZ")->ToString(), "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
}

TEST(Ulid, RefusesOtherText) {
  for (const char* bad : {"", "01ARYZ6S41", "8ZZZZZZZZZZZZZZZZZZZZZZZZZ", "01ARYZ6S41TSV4RRFFQ69G5FAU",
                          "01ARYZ6S41TSV4RRFFQ69G5FAVX", "U1ARYZ6S41TSV4RRFFQ69G5FAV", "01ARYZ6S41TSV4RRFFQ69G5FA-"}) {
    EXPECT_FALSE(Ulid::Parse(bad).has_value()) << bad;
  }
}

TEST(Ulid, SortsByTimeAndDoesNotRepeat) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(Ulid::Make(5).ToString());
  EXPECT_EQ(seen.size(), 1000u);
  EXPECT_LT(*seen.rbegin(), Ulid::Make(6).ToString());
  EXPECT_LT(Ulid::Make(5), Ulid::Make(6));
}

}  // namespace
}  // namespace gauntlet
