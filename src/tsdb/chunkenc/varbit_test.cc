#include "tsdb/chunkenc/varbit.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace gauntlet::tsdb {
namespace {

TEST(Varbit, SignedValuesAtTheBordersOfEveryWidth) {
  std::vector<int64_t> values = {0, INT64_MIN, INT64_MAX};
  for (unsigned width : {3, 6, 9, 12, 18, 25, 56}) {
    int64_t half = int64_t{1} << (width - 1);
    for (int64_t v : {-half - 1, -half, -half + 1, half - 1, half, half + 1}) values.push_back(v);
  }
  BitWriter out(0);
  for (int64_t v : values) WriteVarbitInt(v, out);
  PaddedBytes bytes(out.bytes());
  BitReader in(bytes, 0);
  for (int64_t v : values) EXPECT_EQ(ReadVarbitInt(in), v);
  EXPECT_FALSE(in.overrun());
}

TEST(Varbit, UnsignedValuesOfEveryLength) {
  std::mt19937_64 random(1);
  std::vector<uint64_t> values = {0, UINT64_MAX};
  for (int bits = 1; bits <= 64; ++bits) {
    for (int i = 0; i < 10; ++i) values.push_back(random() >> (64 - bits));
  }
  BitWriter out(0);
  for (uint64_t v : values) WriteVarbitUint(v, out);
  PaddedBytes bytes(out.bytes());
  BitReader in(bytes, 0);
  for (uint64_t v : values) EXPECT_EQ(ReadVarbitUint(in), v);
  EXPECT_FALSE(in.overrun());
}

TEST(Varbit, SizesAreThoseOfTheFormat) {
  auto bits = [](int64_t v) {
    BitWriter out(0);
    WriteVarbitInt(v, out);
    size_t n = 0;
    while (true) {  // pad with ones until a byte is begun: what was needed is the rest
      size_t before = out.bytes().size();
      out.Bit(true);
      if (out.bytes().size() != before) return before * 8 - n;
      ++n;
    }
  };
  EXPECT_EQ(bits(0), 1u);
  EXPECT_EQ(bits(4), 5u);
  EXPECT_EQ(bits(-4), 9u);
  EXPECT_EQ(bits(256), 13u);
  EXPECT_EQ(bits(2048), 17u);
  EXPECT_EQ(bits(131072), 24u);
  EXPECT_EQ(bits(16777216), 32u);
  EXPECT_EQ(bits(int64_t{1} << 55), 64u);
  EXPECT_EQ(bits((int64_t{1} << 55) + 1), 72u);
}

}  // namespace
}  // namespace gauntlet::tsdb
