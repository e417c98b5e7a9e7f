#include "tsdb/chunkenc/aggr_chunk.h"

#include <gtest/gtest.h>

#include "tsdb/chunkenc/xor.h"

namespace gauntlet::tsdb {
namespace {

TEST(AggrChunk, PartsComeBackAndAbsentOnesStayAbsent) {
  XorAppender sum, counter;
  sum.Append(10, 1.5);
  counter.Append(10, 2);
  counter.Append(10, 3);  // the last raw value, at the time of the last window
  AggrChunkView view;
  view.parts[static_cast<size_t>(Aggregate::kSum)] = {Encoding::kXor, sum.bytes()};
  view.parts[static_cast<size_t>(Aggregate::kCounter)] = {Encoding::kXor, counter.bytes()};
  std::string bytes = EncodeAggrChunk(view);
  auto back = ParseAggrChunk(bytes);
  ASSERT_TRUE(back.ok());
  EXPECT_FALSE(back->has(Aggregate::kCount));
  EXPECT_EQ((*back)[Aggregate::kSum].bytes, sum.bytes());
  Samples samples;
  ASSERT_TRUE(DecodeChunk((*back)[Aggregate::kCounter], &samples).ok());
  EXPECT_EQ(samples.times_ms, (std::vector<int64_t>{10, 10}));
  EXPECT_EQ(samples.values, (std::vector<double>{2, 3}));
  for (size_t cut = 0; cut < bytes.size(); ++cut) {
    EXPECT_EQ(ParseAggrChunk(bytes.substr(0, cut)).status().code(), Code::kCorrupt) << cut;
  }
}

TEST(AggrChunk, AbsentCounterAtTheEndIsRead) {
  XorAppender count;
  count.Append(10, 4);
  AggrChunkView view;
  view.parts[0] = {Encoding::kXor, count.bytes()};
  std::string bytes = EncodeAggrChunk(view);
  EXPECT_EQ(bytes.substr(bytes.size() - 4), std::string(4, '\0'));
  auto back = ParseAggrChunk(bytes);
  ASSERT_TRUE(back.ok());
  EXPECT_FALSE(back->has(Aggregate::kCounter));
  EXPECT_EQ(SampleCount({Encoding::kAggregate, bytes}), 1u);
}

TEST(AggrChunk, LengthBeyondTheBytesIsRefused) {
  EXPECT_FALSE(ParseAggrChunk("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x01").ok());
  EXPECT_FALSE(ParseAggrChunk("\x02\x01z").ok());
  EXPECT_FALSE(ParseAggrChunk(std::string("\x01\0z\0\0\0\0", 7)).ok());  // no encoding
}

}  // namespace
}  // namespace gauntlet::tsdb
