#include "dedup/replicas.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tsdb/chunkenc/xor.h"

namespace gauntlet::dedup {
namespace {

using tsdb::SeriesChunk;

std::vector<SeriesChunk> Chunks(std::initializer_list<std::pair<int64_t, int64_t>> ranges) {
  std::vector<SeriesChunk> chunks;
  for (auto [mint, maxt] : ranges) chunks.push_back({mint, maxt, {tsdb::Encoding::kXor, ""}, {}});
  return chunks;
}

// Which chunks each replica gets, as indices. REQUIRES: no two chunks are the same.
std::vector<std::vector<uint32_t>> Split(const std::vector<SeriesChunk>& chunks, SplitRule rule) {
  ReplicaLists lists;
  lists.AddSplit(chunks, rule);
  std::vector<std::vector<uint32_t>> indices(lists.size());
  for (size_t r = 0; r < lists.size(); ++r) {
    for (const SeriesChunk& chunk : lists[r])
      indices[r].push_back(static_cast<uint32_t>(std::find(chunks.begin(), chunks.end(), chunk) - chunks.begin()));
  }
  return indices;
}

std::vector<std::vector<uint32_t>> FirstFit(const std::vector<SeriesChunk>& chunks) {
  return Split(chunks, SplitRule::kFirstFit);
}

TEST(Replicas, FirstFitDealsOutOverlapsAsThanosDoes) {
  using Lists = std::vector<std::vector<uint32_t>>;
  EXPECT_EQ(FirstFit({}), Lists{});
  EXPECT_EQ(FirstFit(Chunks({{0, 20}, {21, 100}, {110, 300}})), (Lists{{0, 1, 2}}));
  EXPECT_EQ(FirstFit(Chunks({{0, 20}, {0, 30}, {21, 50}, {31, 60}, {100, 160}})), (Lists{{0, 2, 4}, {1, 3}}));
  EXPECT_EQ(FirstFit(Chunks({{50, 55}, {55, 100}})), (Lists{{0}, {1}}));
  EXPECT_EQ(FirstFit(Chunks({{0, 20}, {0, 30}, {1, 15}, {2, 36}, {16, 200}, {21, 50}, {31, 60}, {100, 160}})),
            (Lists{{0, 5, 7}, {1, 6}, {2, 4}, {3}}));
}

// Encodes samples at first, first + 10 .. last.
std::string Encode(int64_t first, int64_t last) {
  tsdb::XorAppender appender;
  for (int64_t t = first; t <= last; t += 10) appender.Append(t, 1);
  return appender.Release();
}

TEST(Replicas, ByPhaseFollowsTheScrapesOfAReplica) {
  // Replica a scrapes at 0, 10, ..; b at 4, 14, ... Their chunks end at different times, and a has a gap.
  std::vector<std::pair<int64_t, int64_t>> ranges = {{0, 100}, {4, 54}, {64, 204}, {150, 300}, {214, 404}, {310, 400}};
  std::vector<std::string> bytes;
  for (auto [mint, maxt] : ranges) bytes.push_back(Encode(mint, maxt));
  std::vector<SeriesChunk> chunks;
  for (size_t i = 0; i < ranges.size(); ++i) {
    chunks.push_back({ranges[i].first, ranges[i].second, {tsdb::Encoding::kXor, bytes[i]}, {}});
  }
  EXPECT_EQ(Split(chunks, SplitRule::kByPhase), (std::vector<std::vector<uint32_t>>{{0, 3, 5}, {1, 2, 4}}));
}

TEST(Replicas, CopiesAreDroppedWithoutDecoding) {
  std::string a = "aaa", same = "aaa", b = "bbb";
  auto chunk = [](int64_t mint, const std::string& bytes) {
    return SeriesChunk{mint, mint + 10, {tsdb::Encoding::kXor, bytes}, {}};
  };
  std::vector<SeriesChunk> chunks = {chunk(20, a), chunk(0, a), chunk(0, b), chunk(20, same), chunk(0, same)};
  SortAndDropCopies(&chunks);
  ASSERT_EQ(chunks.size(), 3u);
  EXPECT_EQ(chunks[0], chunk(0, a));
  EXPECT_EQ(chunks[1], chunk(0, b));
  EXPECT_EQ(chunks[2], chunk(20, a));
  SeriesChunk aggregated{0, 10, {}, {}};
  aggregated.aggregates.parts[1] = {tsdb::Encoding::kXor, a};
  SeriesChunk other = aggregated;
  other.aggregates.parts[4] = {tsdb::Encoding::kXor, b};
  chunks = {aggregated, other, aggregated};
  SortAndDropCopies(&chunks);
  EXPECT_EQ(chunks.size(), 2u);
}

}  // namespace
}  // namespace gauntlet::dedup
