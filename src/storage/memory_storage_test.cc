#include "storage/memory_storage.h"

#include <gtest/gtest.h>

#include <thread>

namespace gauntlet::storage {
namespace {

Labels L(std::vector<std::pair<std::string, std::string>> pairs) { return Labels::From(std::move(pairs)); }

Matcher Re(std::string name, std::string value) { return *Matcher::Make(MatchType::kRegexp, name, value); }

std::vector<std::unique_ptr<Series>> Drain(SeriesSet& set) {
  std::vector<std::unique_ptr<Series>> all;
  for (;;) {
    auto next = set.Next();
    EXPECT_TRUE(next.ok()) << next.status().message();
    if (!next.ok() || *next == nullptr) return all;
    all.push_back(*std::move(next));
  }
}

class MemoryStorageTest : public testing::Test {
 protected:
  void SetUp() override {
    for (int64_t t = 0; t < 10; ++t) {
      storage_.Append(L({{"__name__", "up"}, {"job", "b"}}), t * 1000, static_cast<double>(t));
      if (t < 5) storage_.Append(L({{"__name__", "up"}, {"job", "a"}}), t * 1000, -1);
    }
    storage_.Append(L({{"__name__", "down"}, {"zone", "z"}}), 3000, 7);
  }
  std::unique_ptr<Querier> Query(int64_t mint = kMinTimeMs, int64_t maxt = kMaxTimeMs) {
    return *storage_.MakeQuerier(mint, maxt);
  }
  static constexpr int64_t kMinTimeMs = std::numeric_limits<int64_t>::min();
  static constexpr int64_t kMaxTimeMs = std::numeric_limits<int64_t>::max();
  MemoryStorage storage_;
};

TEST_F(MemoryStorageTest, SelectsInOrderOfLabelsWhatHasSamplesInRange) {
  auto querier = Query();
  SelectHints hints{.start_ms = 2000, .end_ms = 4000};
  std::vector<Matcher> up{Matcher::Equal("__name__", "up")};
  auto all = Drain(*querier->Select(hints, up, Cancel(), nullptr));
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0]->labels().Get("job"), "a");
  Samples samples;
  ASSERT_TRUE(all[1]->Read(&samples).ok());
  EXPECT_EQ(samples.times_ms, (std::vector<int64_t>{2000, 3000, 4000}));
  EXPECT_EQ(samples.values, (std::vector<double>{2, 3, 4}));

  hints = {.start_ms = 5000, .end_ms = 9000};
  EXPECT_EQ(Drain(*querier->Select(hints, up, Cancel(), nullptr)).size(), 1u);
  EXPECT_EQ(Drain(*Query(0, 4999)->Select(hints, up, Cancel(), nullptr)).size(), 0u);
  hints = {.start_ms = 0, .end_ms = 9000, .limit = 1};
  EXPECT_EQ(Drain(*querier->Select(hints, {}, Cancel(), nullptr)).size(), 1u);
}

TEST_F(MemoryStorageTest, NamesAndValuesAreSortedUniqueAndLimited) {
  auto querier = Query();
  EXPECT_EQ(querier->LabelNames({}, 0, Cancel())->values, (std::vector<std::string>{"__name__", "job", "zone"}));
  std::vector<Matcher> up{Re("__name__", "u.*")};
  EXPECT_EQ(querier->LabelNames(up, 0, Cancel())->values, (std::vector<std::string>{"__name__", "job"}));
  EXPECT_EQ(querier->LabelValues("job", {}, 0, Cancel())->values, (std::vector<std::string>{"a", "b"}));
  auto cut = *querier->LabelValues("job", {}, 1, Cancel());
  EXPECT_EQ(cut.values, (std::vector<std::string>{"a"}));
  EXPECT_EQ(cut.annotations.warnings().count("results truncated due to limit"), 1u);
  EXPECT_TRUE(querier->LabelValues("job", {}, 2, Cancel())->annotations.empty());
  EXPECT_EQ(Query(6000, 7000)->LabelValues("job", {}, 0, Cancel())->values, (std::vector<std::string>{"b"}));
}

TEST_F(MemoryStorageTest, TakesSamplesInAnyOrderAndReplacesEqualTimes) {
  Labels labels = L({{"a", "b"}});
  Histogram histogram;
  histogram.count = 3;
  storage_.Append(labels, 30, 3);
  storage_.AppendHistogram(labels, 20, histogram);
  storage_.Append(labels, 10, 1, 5);
  storage_.AppendHistogram(labels, 40, histogram);
  storage_.Append(labels, 30, 33);
  auto series =
      Drain(*Query()->Select({.start_ms = 10, .end_ms = 40}, {{Matcher::Equal("a", "b")}}, Cancel(), nullptr));
  ASSERT_EQ(series.size(), 1u);
  Samples samples;
  ASSERT_TRUE(series[0]->Read(&samples).ok());
  EXPECT_EQ(samples.times_ms, (std::vector<int64_t>{10, 20, 30, 40}));
  EXPECT_EQ(samples.values[2], 33);
  EXPECT_EQ(samples.start_times_ms, (std::vector<int64_t>{5, 0, 0, 0}));
  ASSERT_EQ(samples.histograms.size(), 2u);
  EXPECT_EQ(samples.histograms[0].position, 1u);
  EXPECT_EQ(samples.histograms[1].position, 3u);

  storage_.Append(labels, 20, 2);  // a float in place of the histogram
  Samples again;
  ASSERT_TRUE(series[0]->Read(&again).ok());
  EXPECT_EQ(again.histograms.size(), 1u);
  EXPECT_EQ(again.values[1], 2);
  ASSERT_TRUE(series[0]->Read(&again).ok());  // appends
  EXPECT_EQ(again.size(), 8u);
  EXPECT_EQ(again.histograms[1].position, 7u);
}

TEST_F(MemoryStorageTest, CancelEndsTheSet) {
  CancelSource source;
  auto querier = Query();
  auto set = querier->Select({.start_ms = 0, .end_ms = 9000}, {}, source.cancel(), nullptr);
  EXPECT_TRUE(set->Next().ok());
  source.Stop();
  EXPECT_EQ(set->Next().status().code(), Code::kCancelled);
}

TEST_F(MemoryStorageTest, ReadsBesideAppends) {
  Labels labels = L({{"a", "b"}});
  storage_.Append(labels, 0, 0);
  auto series =
      Drain(*Query()->Select({.start_ms = 0, .end_ms = kMaxTimeMs}, {{Matcher::Equal("a", "b")}}, Cancel(), nullptr));
  std::thread writer([&] {
    for (int64_t t = 1; t < 2000; ++t) storage_.Append(labels, t, static_cast<double>(t));
  });
  size_t seen = 0;
  while (seen < 2000) {
    Samples samples;
    ASSERT_TRUE(series[0]->Read(&samples).ok());
    ASSERT_GE(samples.size(), seen);
    seen = samples.size();
    ASSERT_EQ(samples.times_ms.back(), static_cast<int64_t>(seen) - 1);
  }
  writer.join();
}

}  // namespace
}  // namespace gauntlet::storage
