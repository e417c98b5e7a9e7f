#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "tsdb/chunkenc/bit_reader.h"
#include "tsdb/chunkenc/bit_writer.h"

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

}  // namespace
}  // namespace gauntlet::tsdb
