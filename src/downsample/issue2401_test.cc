// The two replicas of issue 2401 read, merged and evaluated as upstream's querier does, against its answers: corrected
// raw counters, then penalty or chain, then the extrapolation of rate() and increase().

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "dedup/merger.h"
#include "dedup/replicas.h"
#include "dedup/testing/thanos_series.h"
#include "downsample/chunk_reader.h"
#include "model/stale.h"

namespace gauntlet::downsample {
namespace {

using Points = std::vector<std::pair<int64_t, double>>;

// "rate(x[5m])" -> rate, 300000
struct Call {
  std::string function;
  int64_t range_ms;
};
Call Parse(const std::string& query) {
  auto digits = query.substr(query.find('[') + 1);
  return {query.substr(0, query.find('(')), std::atoi(digits.c_str()) * 60000};
}

std::vector<Samples> Select(const dedup::ThanosAnswer& answer, const std::string& function) {
  auto algorithm = *dedup::ParseAlgorithm(answer.algorithm);
  std::vector<std::vector<tsdb::SeriesChunk>> groups;  // without deduplication, each series alone
  auto all = dedup::LoadThanosSeries("issue2401-seriesresponses.json");
  for (const auto& series : all) {
    if (groups.empty() || !answer.dedup) groups.emplace_back();
    for (const auto& chunk : series.Chunks()) {
      if (chunk.maxt_ms >= answer.start_ms && chunk.mint_ms <= answer.end_ms) groups.back().push_back(chunk);
    }
  }
  std::vector<Samples> selected;
  for (auto& chunks : groups) {
    dedup::SortAndDropCopies(&chunks);
    std::vector<Samples> replicas;
    ChunkReader reader(ReadingFor(function), RawCounters::kCorrected);
    dedup::ReplicaLists lists;
    lists.AddSplit(chunks, dedup::SplitRule::kFirstFit);
    for (size_t r = 0; r < lists.size(); ++r) {
      EXPECT_TRUE(reader.Read(lists[r], answer.start_ms, answer.end_ms, &replicas.emplace_back()).ok());
    }
    dedup::ReplicaMerger(algorithm, function).Merge(replicas, &selected.emplace_back());
  }
  return selected;
}

// rate() and increase() over the samples of one window, as PromQL extrapolates them.
double Extrapolate(const Points& window, int64_t start, int64_t end, bool is_rate) {
  double result = window.back().second - window.front().second;
  for (size_t i = 1; i < window.size(); ++i) {
    if (window[i].second < window[i - 1].second) result += window[i - 1].second;
  }
  double to_start = static_cast<double>(window.front().first - start) / 1000;
  double to_end = static_cast<double>(end - window.back().first) / 1000;
  double sampled = static_cast<double>(window.back().first - window.front().first) / 1000;
  double average = sampled / static_cast<double>(window.size() - 1), threshold = average * 1.1;
  if (to_start >= threshold) to_start = average / 2;
  if (result > 0 && window.front().second >= 0) {
    to_start = std::min(to_start, sampled * (window.front().second / result));
  }
  if (to_end >= threshold) to_end = average / 2;
  double factor = (sampled + to_start + to_end) / sampled;
  if (is_rate) factor /= static_cast<double>(end - start) / 1000;
  return result * factor;
}

Points Evaluate(const Samples& samples, const Call& call, const dedup::ThanosAnswer& answer) {
  Points points;
  for (int64_t t = answer.start_ms; t <= answer.end_ms; t += answer.step_ms) {
    Points window;
    for (size_t i = 0; i < samples.size(); ++i) {
      bool inside = samples.times_ms[i] > t - call.range_ms && samples.times_ms[i] <= t;
      if (inside && !IsStaleNaN(samples.values[i])) window.push_back({samples.times_ms[i], samples.values[i]});
    }
    if (call.function == "count_over_time") {
      if (!window.empty()) points.push_back({t, static_cast<double>(window.size())});
    } else if (window.size() >= 2) {
      points.push_back({t, Extrapolate(window, t - call.range_ms, t, call.function == "rate")});
    }
  }
  return points;
}

TEST(Issue2401, FunctionsAnswerAsTheRealQuerier) {
  if (dedup::ThanosDedupFolder().empty()) GTEST_SKIP() << "no shared fixtures";
  int checked = 0;
  for (const auto& answer : dedup::LoadThanosAnswers()) {
    if (answer.query.find('(') == answer.query.npos) continue;
    Call call = Parse(answer.query);
    auto series = Select(answer, call.function);
    ASSERT_EQ(series.size(), answer.result.size());
    for (const auto& samples : series) {
      auto got = Evaluate(samples, call, answer);
      bool found = std::ranges::any_of(answer.result, [&](const Points& expected) {
        return std::ranges::equal(got, expected, [](const auto& a, const auto& b) {
          return a.first == b.first && std::abs(a.second - b.second) <= 1e-12 * std::abs(b.second);
        });
      });
      EXPECT_TRUE(found) << answer.query << " " << answer.algorithm << " dedup " << answer.dedup << " step "
                         << answer.step_ms;
    }
    ++checked;
  }
  EXPECT_EQ(checked, 36);
}

}  // namespace
}  // namespace gauntlet::downsample
