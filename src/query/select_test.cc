#include "query/select.h"

#include <gtest/gtest.h>

#include "base/executor.h"
#include "base/memory_budget.h"
#include "tsdb/chunkenc/transcode.h"

namespace gauntlet::query {
namespace {

// A store of float series that drops replica labels itself.
class FloatStore : public storeapi::Store {
 public:
  FloatStore(Labels labels, std::vector<std::pair<int64_t, double>> points) : labels_(std::move(labels)) {
    Samples samples;
    for (auto [t, v] : points) {
      samples.times_ms.push_back(t);
      samples.values.push_back(v);
    }
    tsdb::EncodeSamples(samples, 120, &chunks_);
  }

  std::unique_ptr<storeapi::SeriesStream> Series(const storeapi::SeriesRequest& request,
                                                 const storeapi::CallContext&) override {
    last_request = request;
    ++requests;
    LabelsBuilder builder(labels_);
    for (const std::string& name : request.without_replica_labels) builder.Del(name);
    const std::span<const tsdb::EncodedChunk> none;
    return storeapi::BatchStream({storeapi::BatchOf(builder.Build(), request.skip_chunks ? none : chunks_)});
  }
  Result<storeapi::LabelsAnswer> LabelNames(const storeapi::LabelsRequest& request,
                                            const storeapi::CallContext&) override {
    storeapi::LabelsAnswer answer{{"a", "b", "c"}, {}};
    if (request.limit > 0 && answer.values.size() > static_cast<size_t>(request.limit))
      answer.values.resize(request.limit);
    return answer;
  }
  Result<storeapi::LabelsAnswer> LabelValues(const storeapi::LabelsRequest& request,
                                             const storeapi::CallContext& context) override {
    return LabelNames(request, context);
  }

  storeapi::SeriesRequest last_request;
  std::atomic<int> requests{0};

 private:
  const Labels labels_;
  std::vector<tsdb::EncodedChunk> chunks_;
};

class SelectTest : public ::testing::Test {
 protected:
  SelectTest() {
    // Two replicas, scraped every 10 s with an offset; b misses the middle.
    std::vector<std::pair<int64_t, double>> a, b;
    for (int64_t t = 0; t < 600; t += 10) a.emplace_back(t * 1000, static_cast<double>(t));
    for (int64_t t = 0; t < 600; t += 10) {
      if (t < 200 || t > 400) b.emplace_back(t * 1000 + 3000, static_cast<double>(t));
    }
    Add("a:1", "a", a);
    Add("b:1", "b", b);
  }
  void Add(const char* address, const char* replica, std::vector<std::pair<int64_t, double>> points) {
    auto endpoint = std::make_shared<storeapi::Endpoint>();
    endpoint->address = address;
    Labels labels = Labels::From({{"__name__", "m"}, {"replica", replica}});
    stores_.push_back(std::make_shared<FloatStore>(labels, std::move(points)));
    endpoint->store = stores_.back();
    endpoint->supports_sharding = endpoint->supports_without_replica_labels = true;
    endpoints_.push_back(std::move(endpoint));
  }
  struct Read {
    std::string labels;
    Samples samples;
  };
  std::vector<Read> Select(SelectScope scope, storage::SelectHints hints, MemoryBudget* budget = nullptr) {
    storeapi::Proxy proxy({}, [this] { return endpoints_; }, pool_, telemetry::Logger::Discard());
    StoreQueryable queryable(proxy, std::move(scope));
    auto querier = queryable.MakeQuerier(hints.start_ms, hints.end_ms);
    auto set = (*querier)->Select(hints, Matchers{Matcher::Equal("__name__", "m")}, Cancel(), budget);
    std::vector<Read> all;
    while (true) {
      auto series = set->Next();
      EXPECT_TRUE(series.ok()) << series.status().message();
      if (!series.ok() || *series == nullptr) return all;
      Read read{(*series)->labels().ToString(), {}};
      EXPECT_TRUE((*series)->Read(&read.samples).ok());
      all.push_back(std::move(read));
    }
  }
  static storage::SelectHints Hints(int64_t start_ms, int64_t end_ms, std::string func = "") {
    storage::SelectHints hints;
    hints.start_ms = start_ms;
    hints.end_ms = end_ms;
    hints.func = std::move(func);
    return hints;
  }
  static SelectScope Deduplicated(dedup::Algorithm algorithm) {
    SelectScope scope;
    scope.replica_labels = {"replica"};
    scope.algorithm = algorithm;
    return scope;
  }

  ThreadPool pool_{"test", 8};
  std::vector<std::shared_ptr<FloatStore>> stores_;
  std::vector<storeapi::EndpointPtr> endpoints_;
};

TEST_F(SelectTest, WithoutDeduplicationReplicasStayApart) {
  SelectScope scope;
  scope.deduplicate = false;
  auto all = Select(scope, Hints(0, 600'000));
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].labels, R"({__name__="m", replica="a"})");
  EXPECT_EQ(all[0].samples.size(), 60u);
}

TEST_F(SelectTest, DeduplicationMakesOneSeriesWithoutGaps) {
  for (auto algorithm : {dedup::Algorithm::kPenalty, dedup::Algorithm::kStitch}) {
    auto all = Select(Deduplicated(algorithm), Hints(0, 600'000));
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].labels, R"({__name__="m"})");
    const auto& times = all[0].samples.times_ms;
    ASSERT_GE(times.size(), 58u);
    EXPECT_LE(times.size(), 62u);
    for (size_t i = 1; i < times.size(); ++i) EXPECT_LE(times[i] - times[i - 1], 20'000);
  }
  auto chained = Select(Deduplicated(dedup::Algorithm::kChain), Hints(0, 600'000));
  EXPECT_EQ(chained[0].samples.size(), 60u + 39u);
}

// A counter whose target restarts at 300 s, as one or two replicas scrape it.
class CounterSelectTest : public SelectTest {
 protected:
  static std::vector<std::pair<int64_t, double>> Counter(int64_t offset_ms) {
    std::vector<std::pair<int64_t, double>> points;
    for (int64_t t = 0; t < 600; t += 10) points.emplace_back(t * 1000 + offset_ms, t < 300 ? t + 1000 : t - 290);
    return points;
  }
  size_t Resets(const Samples& samples) {
    size_t resets = 0;
    for (size_t i = 1; i < samples.size(); ++i) resets += samples.values[i] < samples.values[i - 1];
    return resets;
  }
  CounterSelectTest() { endpoints_.clear(); }
};

TEST_F(CounterSelectTest, OneReplicasSamplesPassUnaltered) {
  Add("a:1", "a", Counter(0));
  for (auto algorithm : {dedup::Algorithm::kPenalty, dedup::Algorithm::kChain, dedup::Algorithm::kStitch}) {
    for (const char* function : {"", "rate", "increase", "irate", "resets"}) {
      auto all = Select(Deduplicated(algorithm), Hints(0, 600'000, function));
      ASSERT_EQ(all.size(), 1u);
      ASSERT_EQ(all[0].samples.size(), 60u);
      for (size_t i = 0; i < 60; ++i) EXPECT_EQ(all[0].samples.values[i], Counter(0)[i].second);
    }
  }
}

TEST_F(CounterSelectTest, ReplicasThatAreJoinedRiseForRatesAndRestartOnceForResets) {
  Add("a:1", "a", Counter(0));
  Add("b:1", "b", Counter(4000));
  for (auto algorithm : {dedup::Algorithm::kPenalty, dedup::Algorithm::kChain}) {
    for (const char* function : {"rate", "increase", "irate"})
      EXPECT_EQ(Resets(Select(Deduplicated(algorithm), Hints(0, 600'000, function))[0].samples), 0u) << function;
    EXPECT_GE(Resets(Select(Deduplicated(algorithm), Hints(0, 600'000, "resets"))[0].samples), 1u);
  }
  EXPECT_EQ(Resets(Select(Deduplicated(dedup::Algorithm::kStitch), Hints(0, 600'000, "resets"))[0].samples), 1u);
}

TEST_F(SelectTest, SelectsBeyondTheLimitBeginWhenTheyAreNeeded) {
  storeapi::Proxy proxy({}, [this] { return endpoints_; }, pool_, telemetry::Logger::Discard());
  for (size_t limit : {0, 1, 2}) {
    SelectScope scope = Deduplicated(dedup::Algorithm::kPenalty);
    scope.concurrent_selects_max = limit;
    FanoutReport report;
    StoreQueryable queryable(proxy, scope, &report);
    auto querier = queryable.MakeQuerier(0, 600'000);
    stores_[0]->requests = 0;
    std::vector<std::unique_ptr<storage::SeriesSet>> sets;
    for (int i = 0; i < 3; ++i)
      sets.push_back(
          (*querier)->Select(Hints(0, 600'000), Matchers{Matcher::Equal("__name__", "m")}, Cancel(), nullptr));
    EXPECT_EQ(stores_[0]->requests, limit == 0 ? 3 : static_cast<int>(limit));
    // All may be read side by side, and give the same.
    for (int round = 0; round < 2; ++round) {
      for (auto& set : sets) EXPECT_EQ(*set->Next() != nullptr, round == 0);
    }
    EXPECT_EQ(stores_[0]->requests, 3);
    EXPECT_EQ(report.Take().size(), 6u);
    sets.push_back((*querier)->Select(Hints(0, 600'000), Matchers{Matcher::Equal("__name__", "m")}, Cancel(), nullptr));
    EXPECT_EQ(stores_[0]->requests, 4);
  }
}

TEST_F(SelectTest, SamplesOutsideTheHintsAreLeftOut) {
  auto all = Select(Deduplicated(dedup::Algorithm::kStitch), Hints(100'000, 200'000));
  ASSERT_EQ(all.size(), 1u);
  EXPECT_GE(all[0].samples.times_ms.front(), 100'000);
  EXPECT_LE(all[0].samples.times_ms.back(), 200'000);
}

TEST_F(SelectTest, TheRequestSaysWhatTheFunctionNeeds) {
  SelectScope scope = Deduplicated(dedup::Algorithm::kPenalty);
  scope.max_resolution_ms = 3'600'000;
  storage::SelectHints hints = Hints(0, 600'000, "rate");
  hints.range_ms = 600'000;
  Select(scope, hints);
  EXPECT_EQ(stores_[0]->last_request.aggregates, (std::vector<wire::Aggregate>{wire::Aggregate::kCounter}));
  EXPECT_EQ(stores_[0]->last_request.max_resolution_ms, 300'000);
  EXPECT_EQ(stores_[0]->last_request.batch_size, 64);
  Select(scope, Hints(0, 600'000, "max_over_time"));
  EXPECT_EQ(stores_[0]->last_request.aggregates, (std::vector<wire::Aggregate>{wire::Aggregate::kMax}));
  EXPECT_EQ(stores_[0]->last_request.max_resolution_ms, 3'600'000);
}

TEST_F(SelectTest, WhatIsHeldIsChargedAndRefusedOverTheBudget) {
  MemoryBudget budget("query", 64);
  storeapi::Proxy proxy({}, [this] { return endpoints_; }, pool_, telemetry::Logger::Discard());
  StoreQueryable queryable(proxy, Deduplicated(dedup::Algorithm::kPenalty));
  auto querier = queryable.MakeQuerier(0, 600'000);
  auto set = (*querier)->Select(Hints(0, 600'000), Matchers{Matcher::Equal("__name__", "m")}, Cancel(), &budget);
  EXPECT_EQ(set->Next().status().code(), Code::kExhausted);
}

TEST_F(SelectTest, ALimitOnLabelsShowsAsAWarning) {
  storeapi::Proxy proxy({}, [this] { return endpoints_; }, pool_, telemetry::Logger::Discard());
  StoreQueryable queryable(proxy, SelectScope());
  auto querier = queryable.MakeQuerier(0, 600'000);
  auto names = (*querier)->LabelNames({}, 2, Cancel());
  EXPECT_EQ(names->values, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(names->annotations.warnings().count("results truncated due to limit"), 1u);
  EXPECT_TRUE((*querier)->LabelNames({}, 3, Cancel())->annotations.empty());
}

}  // namespace
}  // namespace gauntlet::query
