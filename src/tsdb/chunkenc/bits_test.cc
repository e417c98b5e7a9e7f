#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "tsdb/chunkenc/bit_reader.h"
#include "tsdb/chunkenc/bit_writer.h"
#include "tsdb/chunkenc/varbit.h"

namespace gauntlet::tsdb {
namespace {

TEST(Bits, FieldsOfAnyWidthComeBack) {
  std::mt19937_64 random(1);
  std::vector<std::pair<uint64_t, unsigned>> fields;
  BitWriter out(3);
  for (int i = 0; i < 5000; ++i) {
    unsigned width = 1 + static_cast<unsigned>(random() % 64);
    uint64_t value = random() >> (64 - width);
    fields.push_back({value, width});
    out.Bits(value | (width < 64 ? random() << width : 0), width);  // higher bits do not matter
  }
  PaddedBytes bytes(out.bytes());
  BitReader in(bytes, 3);
  for (auto [value, width] : fields) ASSERT_EQ(in.Bits(width), value) << width;
  EXPECT_FALSE(in.overrun());
  EXPECT_LT(in.bits_left(), 8u);
}

TEST(Bits, VarintsComeBackAtAnyPosition) {
  BitWriter out(0);
  std::vector<int64_t> values = {0, -1, 1, 63, 64, -64, -65, 1 << 20, INT64_MIN, INT64_MAX};
  for (int64_t v : values) {
    out.Bit(true);
    out.Varint(v);
  }
  PaddedBytes bytes(out.bytes());
  BitReader in(bytes, 0);
  for (int64_t v : values) {
    EXPECT_TRUE(in.Bit());
    EXPECT_EQ(in.Varint(), v);
  }
  EXPECT_FALSE(in.overrun());
}

TEST(Bits, ReadingPastTheEndGivesZerosAndIsRemembered) {
  PaddedBytes bytes("\xff");
  BitReader in(bytes, 0);
  EXPECT_EQ(in.Bits(8), 0xffu);
  EXPECT_FALSE(in.overrun());
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(in.Bits(64), 0u);
  EXPECT_TRUE(in.overrun());
  EXPECT_EQ(in.bits_left(), 0u);
}

TEST(Bits, OverlongVarintEndsTheReader) {
  PaddedBytes bytes("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02zzzzzzzz");
  BitReader in(bytes, 0);
  EXPECT_EQ(in.Uvarint(), 0u);
  EXPECT_TRUE(in.overrun());
}

TEST(Bits, LargeChunksArePaddedOnTheHeap) {
  std::string large(5000, 'x');
  PaddedBytes bytes(large);
  BitReader in(bytes, 4999);
  EXPECT_EQ(in.Bits(8), static_cast<uint64_t>('x'));
  EXPECT_EQ(in.Bits(64), 0u);
}

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
