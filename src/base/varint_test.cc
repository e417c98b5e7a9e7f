#include "base/varint.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace gauntlet {
namespace {

TEST(Varint, RoundTripsAtEveryWidth) {
  for (int bit = 0; bit < 64; ++bit) {
    for (uint64_t v : {(1ull << bit) - 1, 1ull << bit, ~0ull >> bit}) {
      std::string out;
      AppendUvarint(out, v);
      EXPECT_EQ(out.size(), UvarintSize(v));
      uint64_t back;
      ByteReader r(out);
      ASSERT_TRUE(r.Uvarint(&back));
      EXPECT_EQ(back, v);
      EXPECT_TRUE(r.empty());
      for (size_t cut = 0; cut < out.size(); ++cut) EXPECT_FALSE(ByteReader(out.substr(0, cut)).Uvarint(&back));
    }
  }
}

TEST(Varint, SignedRoundTrips) {
  for (int64_t v : {int64_t{0}, int64_t{-1}, int64_t{1}, std::numeric_limits<int64_t>::min(),
                    std::numeric_limits<int64_t>::max()}) {
    std::string out;
    AppendVarint(out, v);
    int64_t back;
    ASSERT_TRUE(ByteReader(out).Varint(&back));
    EXPECT_EQ(back, v);
  }
}

TEST(Varint, OverflowIsRefused) {
  uint64_t v;
  EXPECT_FALSE(ByteReader("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02").Uvarint(&v));
  EXPECT_FALSE(ByteReader("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01").Uvarint(&v));
}

TEST(ByteReader, PrefixedNeverReadsPastTheEnd) {
  std::string_view got;
  EXPECT_FALSE(ByteReader("\x05"
                          "abc")
                   .Prefixed(&got));
  ByteReader r(
      "\x03"
      "abcd");
  ASSERT_TRUE(r.Prefixed(&got));
  EXPECT_EQ(got, "abc");
  EXPECT_EQ(r.left(), 1u);
}

}  // namespace
}  // namespace gauntlet
