// The two replicas of issue 2401: a counter whose target restarts; each replica writes a stale marker and misses
// scrapes. Expected answers are those of the real querier.

#include <gtest/gtest.h>

#include <cmath>
#include <optional>

#include "dedup/merger.h"
#include "dedup/replicas.h"
#include "dedup/testing/series_text.h"
#include "dedup/testing/thanos_series.h"
#include "model/stale.h"

namespace gauntlet::dedup {
namespace {

// All chunks of the file as one series, as a store hands it over without replica labels, merged over [mint, maxt].
Samples Merge(const std::string& file, Algorithm algorithm, std::string_view function, int64_t mint, int64_t maxt) {
  auto series = LoadThanosSeries(file);
  std::vector<tsdb::SeriesChunk> chunks;
  for (const auto& replica : series) {
    for (const auto& chunk : replica.Chunks()) {
      if (chunk.maxt_ms >= mint && chunk.mint_ms <= maxt) chunks.push_back(chunk);
    }
  }
  SortAndDropCopies(&chunks);
  auto rule = algorithm == Algorithm::kStitch ? SplitRule::kByPhase : SplitRule::kFirstFit;
  std::vector<Samples> replicas;
  ReplicaLists lists;
  lists.AddSplit(chunks, rule);
  for (size_t r = 0; r < lists.size(); ++r) {
    Samples& samples = replicas.emplace_back();
    for (const auto& chunk : lists[r]) EXPECT_TRUE(DecodeChunk(chunk.raw, mint, maxt, &samples).ok());
  }
  Samples out;
  ReplicaMerger(algorithm, function).Merge(replicas, &out);
  return out;
}

Points WithoutStale(const Samples& samples) {
  Points points = ToPoints(samples);
  std::erase_if(points, [](const auto& point) { return IsStaleNaN(point.second); });
  return points;
}

// What an instant selector with a lookback of 5 minutes answers at each step.
Points AtSteps(const Samples& samples, int64_t start, int64_t end, int64_t step) {
  Points points;
  size_t i = 0;
  for (int64_t t = start; t <= end; t += step) {
    while (i < samples.size() && samples.times_ms[i] <= t) ++i;
    if (i == 0 || samples.times_ms[i - 1] <= t - 300000 || IsStaleNaN(samples.values[i - 1])) continue;
    points.push_back({t, samples.values[i - 1]});
  }
  return points;
}

int CountResets(const Points& points) {
  int resets = 0;
  for (size_t i = 1; i < points.size(); ++i) resets += points[i].second < points[i - 1].second;
  return resets;
}

TEST(Issue2401, PenaltyAndChainGiveWhatTheRealQuerierGives) {
  if (ThanosDedupFolder().empty()) GTEST_SKIP() << "no shared fixtures";
  int checked = 0;
  for (const auto& answer : LoadThanosAnswers()) {
    if (!answer.dedup || answer.result.size() != 1) continue;
    bool selector = answer.query.ends_with("{}");
    if (!selector && answer.step_ms != 0) continue;  // functions: tested with the engine
    auto algorithm = ParseAlgorithm(answer.algorithm);
    ASSERT_TRUE(algorithm.ok());
    // The recording selected samples from the start of the range on, without the lookback before it.
    auto merged = Merge("issue2401-seriesresponses.json", *algorithm, "", answer.start_ms, answer.end_ms);
    auto got = selector ? AtSteps(merged, answer.start_ms, answer.end_ms, answer.step_ms) : WithoutStale(merged);
    EXPECT_EQ(got, answer.result[0]) << answer.query << " " << answer.algorithm << " step " << answer.step_ms;
    ++checked;
  }
  EXPECT_EQ(checked, 8);
}

TEST(Issue2401, StitchShowsTheOneResetAndNoOther) {
  if (ThanosDedupFolder().empty()) GTEST_SKIP() << "no shared fixtures";
  for (const char* function : {"", "rate"}) {
    auto points = WithoutStale(
        Merge("issue2401-seriesresponses.json", Algorithm::kStitch, function, 1587690000001, 1587693600000));
    EXPECT_EQ(CountResets(points), 1) << function;
    int64_t longest = 0;
    for (size_t i = 1; i < points.size(); ++i) longest = std::max(longest, points[i].first - points[i - 1].first);
    EXPECT_EQ(longest, 1587692542149 - 1587692480791);  // while the target was away
  }
}

TEST(Issue2890, GaugeOfTwoReplicasThatFollowEachOther) {
  if (ThanosDedupFolder().empty()) GTEST_SKIP() << "no shared fixtures";
  for (auto algorithm : {Algorithm::kPenalty, Algorithm::kStitch}) {
    auto merged = Merge("issue2890-seriesresponses.json", algorithm, "", INT64_MIN, INT64_MAX);
    auto all = Merge("issue2890-seriesresponses.json", Algorithm::kChain, "", INT64_MIN, INT64_MAX);
    if (algorithm == Algorithm::kStitch) EXPECT_EQ(ToPoints(merged), ToPoints(all));
    EXPECT_EQ(merged.times_ms.front(), 1598464999000);
    EXPECT_EQ(merged.times_ms.back(), 1598478935000);
  }
}

}  // namespace
}  // namespace gauntlet::dedup
