// Upstream's published replicas (issues 2401 and 2890) through a querier as it runs: fan-out, deduplication, engine;
// against the answers of the real one.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>

#include "base/executor.h"
#include "dedup/testing/thanos_series.h"
#include "json/reader.h"
#include "model/stale.h"
#include "promql/engine/engine.h"
#include "query/select.h"

namespace gauntlet::query {
namespace {

using Points = std::vector<std::pair<int64_t, double>>;

// One replica's series, as its sidecar would give it.
class ReplicaStore : public storeapi::Store {
 public:
  explicit ReplicaStore(dedup::ThanosSeries series) : series_(std::move(series)) {}

  std::unique_ptr<storeapi::SeriesStream> Series(const storeapi::SeriesRequest& request,
                                                 const storeapi::CallContext&) override {
    Labels labels = Labels::From(series_.labels);
    if (!MatchesAll(request.matchers, labels)) return storeapi::BatchStream({});
    LabelsBuilder left(labels);
    for (const std::string& name : request.without_replica_labels) left.Del(name);
    auto batch = std::make_shared<storeapi::SeriesBatch>();
    for (const std::string& bytes : series_.bytes) batch->frame()->append(bytes);
    std::vector<wire::ChunkView> views;
    size_t at = 0;
    for (size_t i = 0; i < series_.bytes.size(); at += series_.bytes[i++].size()) {
      if (series_.ranges[i].second < request.min_time_ms || series_.ranges[i].first > request.max_time_ms) continue;
      wire::ChunkView view;
      view.min_time_ms = series_.ranges[i].first;
      view.max_time_ms = series_.ranges[i].second;
      view.data = std::string_view(*batch->frame()).substr(at, series_.bytes[i].size());
      views.push_back(view);
    }
    if (views.empty()) return storeapi::BatchStream({});
    batch->Add(left.Build(), views);
    return storeapi::BatchStream({batch});
  }
  Result<storeapi::LabelsAnswer> LabelNames(const storeapi::LabelsRequest&, const storeapi::CallContext&) override {
    return storeapi::LabelsAnswer();
  }
  Result<storeapi::LabelsAnswer> LabelValues(const storeapi::LabelsRequest&, const storeapi::CallContext&) override {
    return storeapi::LabelsAnswer();
  }

 private:
  const dedup::ThanosSeries series_;
};

// The recordings selected nothing from before the start of their range.
class FromTheStart : public storage::Queryable {
 public:
  FromTheStart(storage::Queryable& inner, int64_t start_ms) : inner_(inner), start_ms_(start_ms) {}
  Result<std::unique_ptr<storage::Querier>> MakeQuerier(int64_t mint_ms, int64_t maxt_ms) override {
    return inner_.MakeQuerier(std::max(mint_ms, start_ms_), maxt_ms);
  }

 private:
  storage::Queryable& inner_;
  const int64_t start_ms_;
};

struct Asked {
  std::string query;
  int64_t start_ms = 0, end_ms = 0, step_ms = 0;  // step 0: an instant query at the end
  int64_t lookback_ms = 300'000;
  int64_t before_ms = 0;  // how much before the start is selected
  bool deduplicate = true;
  dedup::Algorithm algorithm = dedup::Algorithm::kPenalty;
};

class RecordedDedup : public ::testing::Test {
 protected:
  void Load(const std::string& file, size_t replicas = 2) {
    auto all = dedup::LoadThanosSeries(file);
    for (size_t i = 0; i < replicas && i < all.size(); ++i) {
      auto endpoint = std::make_shared<storeapi::Endpoint>();
      endpoint->address = "replica:" + std::to_string(i);
      endpoint->supports_sharding = endpoint->supports_without_replica_labels = true;
      endpoint->store = std::make_shared<ReplicaStore>(std::move(all[i]));
      endpoints_.push_back(std::move(endpoint));
    }
  }

  struct Answered {
    Labels labels;
    Points points;
  };
  std::vector<Answered> Ask(const Asked& asked) {
    SelectScope scope;
    scope.deduplicate = asked.deduplicate;
    scope.replica_labels = {"replica"};
    scope.algorithm = asked.algorithm;
    storeapi::Proxy proxy({}, [this] { return endpoints_; }, pool_, telemetry::Logger::Discard());
    StoreQueryable stores(proxy, scope);
    FromTheStart queryable(stores, asked.start_ms - asked.before_ms);
    promql::EngineOptions options;
    options.lookback_delta_ms = asked.lookback_ms;
    promql::Engine engine(options, pool_, nullptr, SystemClock());
    auto query = asked.step_ms == 0
                     ? engine.NewInstantQuery(queryable, {}, asked.query, asked.end_ms)
                     : engine.NewRangeQuery(queryable, {}, asked.query, asked.start_ms, asked.end_ms, asked.step_ms);
    EXPECT_TRUE(query.ok()) << query.status().message();
    promql::QueryResult result = (*query)->Exec(Cancel());
    EXPECT_TRUE(result.status.ok()) << result.status.message();
    std::vector<Answered> answers;
    for (const promql::Row& row : result.rows) {
      Points& points = answers.emplace_back(Answered{row.labels, {}}).points;
      for (uint32_t i = 0; i < row.column.steps(); ++i) {
        if (row.column.Has(i)) points.emplace_back(result.grid.time_ms(i), row.column.values()[i]);
      }
    }
    for (const promql::RawSeries& series : result.matrix) {
      Points& points = answers.emplace_back(Answered{series.labels, {}}).points;
      for (size_t i = 0; i < series.samples.size(); ++i)
        points.emplace_back(series.samples.times_ms[i], series.samples.values[i]);
    }
    return answers;
  }

  ThreadPool pool_{"test", 8};
  std::vector<storeapi::EndpointPtr> endpoints_;
};

bool Same(const Points& a, const Points& b) {
  return std::ranges::equal(a, b, [](const auto& x, const auto& y) {
    return x.first == y.first && std::abs(x.second - y.second) <= 1e-12 * std::abs(y.second);
  });
}

// The target restarted between these samples.
constexpr int64_t kLastBeforeMs = 1'587'692'480'791, kFirstAfterMs = 1'587'692'542'149;

// Without deduplication raw samples pass unaltered here, while the original takes out the reset. Then rate() and
// increase() differ in one way: a window that begins at the small values after the restart is not extrapolated to
// before it. Such windows, and no others, may have another answer: Prometheus' own.
bool SameButAfterTheRestart(const Points& got, const Points& recorded, int64_t range_ms) {
  return std::ranges::equal(got, recorded, [&](const auto& x, const auto& y) {
    bool after = x.first - range_ms >= kLastBeforeMs - 60'000 && x.first - range_ms <= kFirstAfterMs + 60'000;
    return x.first == y.first &&
           (std::abs(x.second - y.second) <= 1e-12 * std::abs(y.second) || (after && x.second < y.second));
  });
}

TEST_F(RecordedDedup, Issue2401AnswersAsTheRealQuerier) {
  if (dedup::ThanosDedupFolder().empty()) GTEST_SKIP() << "no shared fixtures";
  Load("issue2401-seriesresponses.json");
  size_t checked = 0;
  for (const dedup::ThanosAnswer& answer : dedup::LoadThanosAnswers()) {
    SCOPED_TRACE(answer.query + " " + answer.algorithm + (answer.dedup ? "" : " without dedup") + " step " +
                 std::to_string(answer.step_ms));
    Asked asked{answer.query, answer.start_ms, answer.end_ms, answer.step_ms};
    asked.deduplicate = answer.dedup;
    asked.algorithm = *dedup::ParseAlgorithm(answer.algorithm);
    auto got = Ask(asked);
    ASSERT_EQ(got.size(), answer.result.size());
    for (const Answered& series : got) {
      EXPECT_EQ(series.labels.Has("replica"), !answer.dedup);
      bool found = std::ranges::any_of(answer.result, [&](const Points& points) {
        if (answer.dedup) return Same(series.points, points);
        int64_t range_ms = answer.query.find("[5m]") != std::string::npos ? 300'000 : 600'000;
        return SameButAfterTheRestart(series.points, points, range_ms);
      });
      EXPECT_TRUE(found) << series.labels.ToString();
    }
    ++checked;
  }
  EXPECT_EQ(checked, 48u);
}

TEST_F(RecordedDedup, Issue2890AnswersAsTheRealQuerier) {
  if (dedup::ThanosDedupFolder().empty()) GTEST_SKIP() << "no shared fixtures";
  Load("issue2890-seriesresponses.json");
  for (bool deduplicate : {false, true}) {
    // Recorded with the lookback before the start.
    Asked asked{"cluster_version{}", 1'598'471'700'000, 1'598'472'600'000, 3'000, 900'000, 900'000};
    asked.deduplicate = deduplicate;
    std::string file = deduplicate ? "/issue2890-expected-dedup.json" : "/issue2890-expected.json";
    std::ifstream in(dedup::ThanosDedupFolder() + file);
    auto document = json::Document::Parse(std::string(std::istreambuf_iterator<char>(in), {}));
    ASSERT_TRUE(document.ok());
    json::Value want = document->root().Get("data").Get("result");
    auto got = Ask(asked);
    ASSERT_EQ(got.size(), want.size());
    for (const Answered& series : got) {
      bool found = false;
      for (size_t i = 0; i < want.size(); ++i) {
        if (want[i].Get("metric").Get("replica").String().value_or("") != series.labels.Get("replica")) continue;
        Points points;
        json::Value values = want[i].Get("values");
        for (size_t k = 0; k < values.size(); ++k) {
          points.emplace_back(std::llround(*values[k][0].Double() * 1000),
                              std::strtod(std::string(*values[k][1].String()).c_str(), nullptr));
        }
        found = true;
        EXPECT_EQ(series.points.size(), points.size());
        EXPECT_TRUE(Same(series.points, points)) << series.labels.ToString();
      }
      EXPECT_TRUE(found) << series.labels.ToString();
    }
  }
}

}  // namespace
}  // namespace gauntlet::query
