#include "blockstream/segment_check.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "blockstream/testing/segment_bytes.h"

namespace gauntlet::blockstream {
namespace {

TEST(SegmentCheck, CountsChunksHoweverTheyAreCut) {
  const std::string segment = SegmentOf(40);
  for (size_t step : {size_t{1}, size_t{2}, size_t{7}, size_t{300}, size_t{5000}, segment.size()}) {
    SegmentCheck check;
    for (size_t at = 0; at < segment.size(); at += step) {
      ASSERT_TRUE(check.Append(std::string_view(segment).substr(at, step)).ok()) << step << " " << at;
    }
    EXPECT_TRUE(check.Finish().ok());
    EXPECT_EQ(check.chunks(), 40u);
  }
}

TEST(SegmentCheck, EveryFlipAndCutIsSeen) {
  const std::string segment = SegmentOf(5);
  auto check = [](std::string_view bytes, size_t step) {
    SegmentCheck segment_check;
    for (; !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), step))) {
      if (!segment_check.Append(bytes.substr(0, step)).ok()) return false;
    }
    return segment_check.Finish().ok() && segment_check.chunks() == 5;
  };
  for (size_t n = 0; n < segment.size(); ++n) EXPECT_FALSE(check(std::string_view(segment).substr(0, n), 100)) << n;
  for (size_t i = 0; i < segment.size(); ++i) {
    if (i >= 5 && i < tsdb::kSegmentHeaderBytes) continue;  // not used
    std::string flipped = segment;
    flipped[i] = static_cast<char>(flipped[i] ^ (1 << i % 8));
    EXPECT_FALSE(check(flipped, 64 + i)) << i;
  }
}

}  // namespace
}  // namespace gauntlet::blockstream
