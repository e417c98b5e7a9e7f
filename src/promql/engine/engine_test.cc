#include "promql/engine/engine.h"

#include "promql/engine/features.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <thread>

#include "base/testing/small_stack.h"
#include "storage/memory_storage.h"
#include "telemetry/metrics.h"

namespace gauntlet::promql {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A storage that answers `series` from memory and then waits until the query ends.
class HangingStorage : public storage::Queryable {
 public:
  class Set : public storage::SeriesSet {
   public:
    explicit Set(const Cancel& cancel) : cancel_(cancel) {}
    Result<std::unique_ptr<storage::Series>> Next() override {
      while (!cancel_.stopped()) std::this_thread::yield();
      return cancel_.status();
    }
    const Annotations& annotations() const override { return annotations_; }

   private:
    const Cancel cancel_;
    Annotations annotations_;
  };
  class HangingQuerier : public storage::Querier {
   public:
    explicit HangingQuerier(std::atomic<int>& selects) : selects_(selects) {}
    std::unique_ptr<storage::SeriesSet> Select(const storage::SelectHints&, std::span<const Matcher>,
                                               const Cancel& cancel, MemoryBudget*) override {
      ++selects_;
      return std::make_unique<Set>(cancel);
    }
    Result<storage::Strings> LabelNames(std::span<const Matcher>, int64_t, const Cancel&) override {
      return storage::Strings();
    }
    Result<storage::Strings> LabelValues(const std::string&, std::span<const Matcher>, int64_t,
                                         const Cancel&) override {
      return storage::Strings();
    }

   private:
    std::atomic<int>& selects_;
  };
  Result<std::unique_ptr<storage::Querier>> MakeQuerier(int64_t, int64_t) override {
    return std::unique_ptr<storage::Querier>(std::make_unique<HangingQuerier>(selects));
  }
  std::atomic<int> selects{0};
};

class EngineTest : public ::testing::Test {
 protected:
  void Load(std::string_view name, std::string_view label, std::vector<double> values, std::string_view extra = "") {
    LabelsBuilder builder;
    builder.Set(kMetricName, name).Set("l", label);
    if (!extra.empty()) builder.Set("__type__", extra);
    Labels labels = builder.Build();
    for (size_t i = 0; i < values.size(); ++i) {
      if (!std::isnan(values[i])) storage_.Append(labels, static_cast<int64_t>(i) * 10'000, values[i]);
    }
  }

  Engine& engine() {
    if (engine_ == nullptr) engine_ = std::make_unique<Engine>(options_, executor_, &process_, SystemClock());
    return *engine_;
  }

  QueryResult Instant(std::string query, int64_t time_ms) {
    auto q = engine().NewInstantQuery(storage_, {}, std::move(query), time_ms);
    if (q.ok()) return (*q)->Exec(Cancel());
    QueryResult failed;
    failed.status = q.status();
    return failed;
  }
  QueryResult Range(std::string query, int64_t start_ms, int64_t end_ms, int64_t step_ms) {
    auto q = engine().NewRangeQuery(storage_, {}, std::move(query), start_ms, end_ms, step_ms);
    if (q.ok()) return (*q)->Exec(Cancel());
    QueryResult failed;
    failed.status = q.status();
    return failed;
  }

  // One text per series: labels, then the value of each step, "_" where there is none.
  static std::vector<std::string> Texts(const QueryResult& result) {
    if (!result.status.ok()) return {"error: " + std::string(result.status.message())};
    std::vector<std::string> out;
    for (const Row& row : result.rows) {
      std::string text = row.labels.ToString();
      for (uint32_t i = 0; i < row.column.steps(); ++i) {
        text += row.column.Has(i) ? fmt::format(" {}", row.column.values()[i]) : " _";
      }
      out.push_back(text);
    }
    return out;
  }

  // The values at the first step.
  static std::vector<double> Numbers(const QueryResult& result) {
    EXPECT_TRUE(result.status.ok()) << result.status.message();
    std::vector<double> out;
    for (const Row& row : result.rows) out.push_back(row.column.values()[0]);
    return out;
  }

  static constexpr double kGap = std::numeric_limits<double>::quiet_NaN();

  storage::MemoryStorage storage_;
  InlineExecutor executor_;
  MemoryBudget process_{"process", 0};
  EngineOptions options_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(EngineTest, InstantVectorHasOneStep) {
  Load("a", "1", {1, 2, 3});
  QueryResult result = Instant("a", 20'000);
  EXPECT_EQ(result.type, ValueType::kVector);
  EXPECT_EQ(result.grid.time_ms(0), 20'000);
  EXPECT_THAT(Texts(result), ElementsAre("{__name__=\"a\", l=\"1\"} 3"));
}

TEST_F(EngineTest, ScalarStringAndMatrixResults) {
  Load("a", "2", {1, 2, 3});
  Load("a", "1", {4, 5, 6});
  EXPECT_EQ(Instant("1 + 2", 0).scalar, 3);
  EXPECT_EQ(Instant("\"text\"", 0).string, "text");
  QueryResult result = Instant("a[15s]", 20'000);
  EXPECT_EQ(result.type, ValueType::kMatrix);
  ASSERT_EQ(result.matrix.size(), 2u);
  EXPECT_EQ(result.matrix[0].labels.Get("l"), "1");
  EXPECT_THAT(result.matrix[0].samples.times_ms, ElementsAre(10'000, 20'000));
  EXPECT_THAT(result.matrix[0].samples.values, ElementsAre(5, 6));
}

TEST_F(EngineTest, RangeResultsAreSortedByLabels) {
  Load("b", "1", {1, 1});
  Load("a", "2", {2, 2});
  EXPECT_THAT(Texts(Range("b or a", 0, 10'000, 10'000)),
              ElementsAre("{__name__=\"a\", l=\"2\"} 2 2", "{__name__=\"b\", l=\"1\"} 1 1"));
}

TEST_F(EngineTest, RangeQueryWantsAVectorOrScalar) {
  EXPECT_EQ(Range("a[5m]", 0, 1000, 1000).status.message(),
            "invalid expression type \"range vector\" for range query, must be Scalar or instant Vector");
  EXPECT_EQ(Range("\"a\"", 0, 1000, 1000).status.code(), Code::kInvalid);
}

TEST_F(EngineTest, ParseErrorsComeAtOnce) {
  EXPECT_EQ(engine().NewInstantQuery(storage_, {}, "a +", 0).status().code(), Code::kInvalid);
  EXPECT_THAT(std::string(Instant("mad_over_time(a[5m])", 0).status.message()), HasSubstr("is not enabled"));
}

TEST_F(EngineTest, NamesAreDroppedAtOnceByDefault) {
  Load("a", "1", {1, 2, 3});
  EXPECT_THAT(Texts(Instant("-a", 20'000)), ElementsAre("{l=\"1\"} -3"));
  EXPECT_THAT(Texts(Instant("a * 2 > bool 1", 20'000)), ElementsAre("{l=\"1\"} 1"));
  EXPECT_THAT(Texts(Instant("a > 1", 20'000)), ElementsAre("{__name__=\"a\", l=\"1\"} 3"));
  EXPECT_THAT(Texts(Instant("last_over_time(a[1m])", 20'000)), ElementsAre("{__name__=\"a\", l=\"1\"} 3"));
}

TEST_F(EngineTest, SeriesThatBecomeEqualAreAnError) {
  Load("a", "1", {1, 2, 3});
  Load("b", "1", {1, 2, 3});
  for (const char* query : {"abs({__name__=~\"a|b\"})", "rate({__name__=~\"a|b\"}[1m])", "-{__name__=~\"a|b\"}",
                            "sum(rate({__name__=~\"a|b\"}[1m]))", "{__name__=~\"a|b\"} + 1"}) {
    EXPECT_THAT(Texts(Instant(query, 20'000)),
                ElementsAre("error: vector cannot contain metrics with the same labelset"))
        << query;
    EXPECT_THAT(Texts(Range(query, 0, 20'000, 10'000)),
                ElementsAre("error: vector cannot contain metrics with the same labelset"))
        << query;
  }
}

TEST_F(EngineTest, SeriesThatBecomeEqualAtDifferentTimesAreOne) {
  options_.lookback_delta_ms = 10'000;
  Load("a", "1", {1, 2, kGap, kGap});
  Load("b", "1", {kGap, kGap, 3, 4});
  EXPECT_THAT(Texts(Range("abs({__name__=~\"a|b\"})", 0, 30'000, 10'000)), ElementsAre("{l=\"1\"} 1 2 3 4"));
  // Range functions do not merge, as upstream.
  EXPECT_THAT(Texts(Range("sum_over_time({__name__=~\"a|b\"}[10s])", 0, 30'000, 10'000)),
              ElementsAre("error: vector cannot contain metrics with the same labelset"));
}

TEST_F(EngineTest, SeriesThatDifferInTypeAloneAreMergedAfterAll) {
  options_.lookback_delta_ms = 10'000;
  Load("a", "1", {1, 2, kGap, kGap}, "counter");
  Load("a", "1", {kGap, kGap, 3, 4}, "gauge");
  Load("a", "2", {5, 6, 7, 8});
  EXPECT_THAT(Texts(Range("a + 1", 0, 30'000, 10'000)), ElementsAre("{l=\"1\"} 2 3 4 5", "{l=\"2\"} 6 7 8 9"));
  EXPECT_THAT(Texts(Range("sum(a + 1)", 0, 30'000, 10'000)), ElementsAre("{} 8 10 12 14"));
  EXPECT_THAT(Texts(Range("count_over_time(a[10s])", 0, 30'000, 10'000)),
              ElementsAre("error: vector cannot contain metrics with the same labelset"));
}

TEST_F(EngineTest, AnnotationsNameTheirPlace) {
  Load("a", "1", {1, 2, 3});
  QueryResult result = Instant("sum(\n  rate(a[1m]))", 20'000);
  EXPECT_THAT(result.annotations.infos(),
              ElementsAre("PromQL info: metric might not be a counter, name does not end in "
                          "_total/_sum/_count/_bucket: \"a\" (2:8)"));
  result = Instant("quantile_over_time(2, a[1m])", 20'000);
  EXPECT_THAT(result.annotations.warnings(),
              ElementsAre("PromQL warning: quantile value should be between 0 and 1, got 2 (1:20)"));
}

TEST_F(EngineTest, TheLaterPlaceOfEqualAnnotationsStays) {
  Load("a", "1", {1, 2, 3});
  QueryResult result = Instant("rate(a[1m]) + rate(a[1m])", 20'000);
  ASSERT_EQ(result.annotations.infos().size(), 1u);
  EXPECT_THAT(*result.annotations.infos().begin(), HasSubstr("(1:20)"));
}

TEST_F(EngineTest, MatchingErrorsAreOfTheEarliestStep) {
  Load("a", "1", {1, 1, 1});
  Load("a", "2", {kGap, kGap, 1});
  Load("b", "1", {1, 1, 1});
  Load("b", "2", {kGap, 1, 1});
  options_.lookback_delta_ms = 10'000;
  // At step 1 the right side is ambiguous, at step 2 the left one too.
  EXPECT_THAT(Texts(Range("a + on() b", 0, 20'000, 10'000))[0],
              HasSubstr("found duplicate series for the match group {} on the right hand-side of the operation: "
                        "[{__name__=\"b\", l=\"1\"}, {__name__=\"b\", l=\"2\"}];many-to-many matching not allowed"));
  EXPECT_THAT(Texts(Range("a + on() group_right b", 0, 20'000, 10'000))[0], HasSubstr("on the left hand-side"));
  EXPECT_THAT(Texts(Range("a + on() b{l=\"1\"}", 0, 20'000, 10'000))[0],
              HasSubstr("many-to-one matching must be explicit"));
}

TEST_F(EngineTest, AmbiguityWhereTheOtherSideIsEmptyIsNone) {
  Load("a", "1", {1, kGap, 1});
  Load("b", "1", {1, 1, 1});
  Load("b", "2", {kGap, 1, kGap});
  options_.lookback_delta_ms = 10'000;
  EXPECT_THAT(Texts(Range("a + on() b", 0, 20'000, 10'000)), ElementsAre("{} 2 _ 2"));
}

TEST_F(EngineTest, ResultsOfOneGroupAtDifferentTimesAreOneSeries) {
  Load("a", "1", {1, kGap});
  Load("a", "2", {kGap, 2});
  Load("b", "1", {10, 10});
  options_.lookback_delta_ms = 10'000;
  EXPECT_THAT(Texts(Range("a * on() b", 0, 10'000, 10'000)), ElementsAre("{} 10 20"));
  EXPECT_THAT(Texts(Range("a * on() group_left(l) b", 0, 10'000, 10'000)), ElementsAre("{l=\"1\"} 10 20"));
}

TEST_F(EngineTest, LimitKAtOneTimeComesGroupByGroupAsItsHeapsAre) {
  options_.experimental_functions = true;
  Load("a", "1", {5});
  Load("a", "2", {7});
  Load("a", "3", {1});
  Load("a", "4", {3});
  EXPECT_THAT(Numbers(Instant("limitk(4, a)", 0)), ElementsAre(1, 3, 5, 7));
  EXPECT_THAT(Numbers(Instant("limitk(3, a)", 0)), ElementsAre(1, 7, 5));
  EXPECT_THAT(Numbers(Instant("limit_ratio(1, a)", 0)), ElementsAre(1, 3, 5, 7));
  EXPECT_THAT(Numbers(Instant("limitk by (l) (1, a)", 0)), ElementsAre(5, 7, 1, 3));
  EXPECT_THAT(Texts(Range("limitk(3, a)", 0, 0, 10'000)),
              ElementsAre("{__name__=\"a\", l=\"1\"} 5", "{__name__=\"a\", l=\"2\"} 7", "{__name__=\"a\", l=\"3\"} 1"));
}

TEST_F(EngineTest, OneStepOfARangeIsNotAnInstant) {
  Load("a", "1", {1, 2, 3});
  auto warns = [](const QueryResult& result) { return !result.annotations.warnings().empty(); };
  EXPECT_TRUE(warns(Range("sort(a)", 0, 300, 10'000)));
  EXPECT_FALSE(warns(Range("sort(a)", 0, 0, 10'000)));
  EXPECT_FALSE(warns(Range("sort(a @ 0)", 0, 20'000, 10'000)));
  // The subquery's only step lies before its end.
  EXPECT_TRUE(warns(Instant("max_over_time(sort(a)[10s:10s])", 15'000)));
  EXPECT_FALSE(warns(Instant("max_over_time(sort(a)[10s:10s])", 20'000)));
}

TEST_F(EngineTest, ForcedMonotonicityCountsAsUpstream) {
  auto load = [&](const std::string& le, std::vector<double> values) {
    const Labels labels = Labels::From({{"__name__", "h_bucket"}, {"le", le}});
    for (size_t i = 0; i < values.size(); ++i) storage_.Append(labels, static_cast<int64_t>(i) * 10'000, values[i]);
  };
  load("1", {5, 5, 1, 1, 5});
  load("2", {3, 3, 3, 3, 3});
  load("+Inf", {9, 9, 9, 9, 9});
  auto told = [](const QueryResult& result) { return *result.annotations.infos().begin(); };
  EXPECT_THAT(told(Instant("histogram_quantile(0.5, h_bucket)", 0)), HasSubstr("over 1 samples from"));
  // 1, then 2 * (1 + 1), 2 * 4, 2 * 8, 2 * (16 + 1).
  EXPECT_THAT(told(Range("histogram_quantile(0.5, h_bucket)", 0, 40'000, 10'000)),
              HasSubstr("from buckets 2 to 2, with a max diff of 2, over 34 samples from 1970-01-01T00:00:00Z to "
                        "1970-01-01T00:00:40Z"));
}

TEST_F(EngineTest, QuantilesOfOneHistogramSeeItsBucketsAsTheOneBeforeLeftThem) {
  options_.experimental_functions = true;
  auto load = [&](const std::string& le, double value) {
    storage_.Append(Labels::From({{"__name__", "h_bucket"}, {"le", le}}), 0, value);
  };
  load("1", 5);
  load("1.0", 1);
  load("2", 3);
  load("+Inf", 9);
  // Joined they are 6, 6, 9, and the last one again; then 6, 6, 18.
  const QueryResult two = Instant("histogram_quantiles(h_bucket, \"q\", 0.5, 0.5)", 0);
  EXPECT_THAT(Texts(two), ElementsAre("error: vector cannot contain metrics with the same labelset"));
  const QueryResult result = Instant("histogram_quantiles(h_bucket, \"q\", 0.5, 0.25)", 0);
  EXPECT_THAT(Texts(result), ElementsAre("{q=\"0.5\"} 0.75", "{q=\"0.25\"} 0.75"));
  ASSERT_EQ(result.annotations.infos().size(), 1u);
  EXPECT_THAT(*result.annotations.infos().begin(), HasSubstr("over 1 samples from"));
}

TEST_F(EngineTest, EqualQuantilesInARangeAreAnErrorEvenWhenNamesGoLate) {
  options_.experimental_functions = options_.delayed_name_removal = true;
  for (const char* le : {"1", "+Inf"}) {
    storage_.Append(Labels::From({{"__name__", "h_bucket"}, {"l", "1"}, {"le", le}}), 0, 3);
  }
  const std::string query = "sum by (l) (histogram_quantiles(h_bucket, \"q\", 0.5, 0.5))";
  EXPECT_THAT(Texts(Range(query, 0, 10'000, 10'000)),
              ElementsAre("error: vector cannot contain metrics with the same labelset"));
  EXPECT_THAT(Texts(Instant(query, 0)), ElementsAre("{l=\"1\"} 1"));
}

TEST_F(EngineTest, ErrorsOfTheInputComeBeforeThoseOfALimit) {
  options_.experimental_functions = true;
  Load("a", "1", {1});
  Load("b", "1", {1});
  const std::string input = "-{__name__=~\"a|b\"}";
  for (const char* call : {"limitk(NaN, ", "limit_ratio(NaN, ", "topk(NaN, "}) {
    EXPECT_THAT(Texts(Instant(call + input + ")", 0)),
                ElementsAre("error: vector cannot contain metrics with the same labelset"));
  }
  EXPECT_THAT(Texts(Instant("limitk(NaN, a)", 0)), ElementsAre("error: Parameter value is NaN"));
}

TEST_F(EngineTest, SmoothedSelectorsTellOfEachSeriesThatTheyRead) {
  options_.extended_range_selectors = true;
  Load("a", "1", {1, 2, 3});
  const Labels labels = Labels::From({{"__name__", "b"}, {"l", "2"}});
  storage_.Append(labels, 0, 1);
  Histogram histogram;
  histogram.count = histogram.sum = 1;
  storage_.AppendHistogram(labels, 10'000, histogram);
  EXPECT_EQ(Instant("a{l=\"1\"} and b smoothed", 20'000).annotations.warnings().size(), 1u);
  // Of a range asked for by itself, what comes after it stands for both ends.
  QueryResult range = Instant("a[5s] smoothed", -100'000);
  ASSERT_EQ(range.matrix.size(), 1u);
  EXPECT_THAT(range.matrix[0].samples.values, ElementsAre(1, 1));
}

TEST_F(EngineTest, WindowEndsOfTheWrongFunctionAreAnErrorInTheirTurn) {
  options_.extended_range_selectors = true;
  Load("a", "1", {1, 2, 3});
  Load("a", "2", {1, 2, 3});
  EXPECT_THAT(Texts(Instant("sum_over_time(a[20s] anchored)", 20'000))[0], HasSubstr("anchored modifier can only be"));
  EXPECT_THAT(Texts(Instant("sum_over_time(nothing[20s] smoothed)", 20'000))[0], HasSubstr("smoothed modifier can"));
  EXPECT_THAT(Texts(Instant("(a + on () a) + sum_over_time(a[20s] anchored)", 20'000))[0],
              HasSubstr("found duplicate series"));
}

TEST_F(EngineTest, DurationsOfSubqueriesAreResolvedStepFirst) {
  EXPECT_THAT(Texts(Instant("max_over_time((a)[5m-5m:step()/2])", 0)),
              ElementsAre("error: 24:32: duration must be greater than 0"));
}

TEST_F(EngineTest, CountsOfSmoothedHistogramsNeedNoBuckets) {
  options_.extended_range_selectors = true;
  const Labels labels = Labels::From({{"__name__", "h"}});
  for (int64_t i = 0; i < 2; ++i) {
    Histogram histogram;
    histogram.schema = kCustomBucketsSchema;
    histogram.custom_values = i == 0 ? std::vector<double>{1, 2} : std::vector<double>{1, 3};
    histogram.count = histogram.sum = static_cast<double>(10 + 10 * i);
    histogram.positive_spans = {{0, 1}};
    histogram.positive_buckets = {histogram.count};
    storage_.AppendHistogram(labels, i * 20'000, histogram);
  }
  const QueryResult counts = Instant("histogram_count(h smoothed)", 10'000);
  EXPECT_THAT(Numbers(counts), ElementsAre(15));
  EXPECT_TRUE(counts.annotations.infos().empty());
  EXPECT_FALSE(Instant("histogram_quantile(0.5, h smoothed)", 10'000).annotations.infos().empty());
}

TEST_F(EngineTest, LabelsThatGrowBeyondWhatLabelsHoldAreAnError) {
  Load("a", "12345678", {1, 2, 3});
  auto nested = [](std::string_view call, std::string_view rest, int depth) {
    std::string query = "a";
    for (int i = 0; i < depth; ++i) query = fmt::format("{}({}, {})", call, query, rest);
    return query;
  };
  for (const std::string& query : {nested("label_replace", R"x("l", "$1$1", "l", "(.*)")x", 40),
                                   nested("label_join", R"("l", "", "l", "l")", 40)}) {
    EXPECT_THAT(Texts(Instant(query, 0)), ElementsAre("error: String too long to encode as label."));
  }
  // Before that, it is memory of the query.
  options_.query_memory_bytes = 1'000'000;
  engine_ = nullptr;
  EXPECT_THAT(Texts(Instant(nested("label_join", R"("l", "", "l", "l")", 20), 0))[0], HasSubstr("of 1000000 bytes"));
}

TEST_F(EngineTest, TooManySamplesEndTheQuery) {
  Load("a", "1", {1, 2, 3});
  Load("a", "2", {1, 2, 3});
  options_.max_samples = 5;
  QueryResult result = Range("a", 0, 20'000, 10'000);
  EXPECT_EQ(result.status.code(), Code::kExhausted);
  EXPECT_EQ(result.status.message(), "query processing would load too many samples into memory in query execution");
  EXPECT_TRUE(Range("sum(a{l=\"1\"}) + sum(a{l=\"2\"})", 0, 10'000, 10'000).status.ok());
}

TEST_F(EngineTest, MemoryBeyondTheLimitNamesOperatorAndSelector) {
  for (int i = 0; i < 1000; ++i) Load("a_total", std::to_string(i), {1, 2, 3});
  options_.query_memory_bytes = 100'000;
  QueryResult result = Range("-rate(a_total[1m])", 0, 1'000'000, 10'000);
  EXPECT_EQ(result.status.code(), Code::kExhausted);
  EXPECT_THAT(std::string(result.status.message()), ::testing::MatchesRegex("query used [0-9]+ of 100000 bytes in .*"));
  result = Range("quantile(0.5, a_total)", 0, 1'000'000, 10'000);
  EXPECT_THAT(std::string(result.status.message()), HasSubstr("bytes in quantile for a_total"));
}

TEST_F(EngineTest, MemoryIsGivenBack) {
  for (int i = 0; i < 100; ++i) Load("a_total", std::to_string(i), {1, 2, 3});
  for (const char* query : {"a_total", "sum by (l) (rate(a_total[1m]))", "topk(3, a_total)", "a_total + a_total",
                            "sort(a_total)", "a_total or a_total * 2", "count_values(\"v\", a_total)",
                            "label_replace(a_total, \"m\", \"$1\", \"l\", \"(.*)\")", "a_total + on() a_total"}) {
    {
      QueryResult result = Range(query, 0, 20'000, 10'000);
      if (result.status.ok()) {
        EXPECT_GT(process_.used_bytes(), 0u) << query;
      }
      EXPECT_GT(result.stats.peak_memory_bytes, 0u) << query;
    }
    EXPECT_EQ(process_.used_bytes(), 0u) << query;
  }
}

TEST_F(EngineTest, TimeoutAndCancelReadAsUpstream) {
  HangingStorage hanging;
  QueryOptions options;
  options.timeout = std::chrono::milliseconds(20);
  auto query = engine().NewInstantQuery(hanging, options, "sum(rate(a[5m]))", 0);
  QueryResult result = (*query)->Exec(Cancel());
  EXPECT_EQ(result.status.code(), Code::kDeadline);
  EXPECT_EQ(result.status.message(), "query timed out in expression evaluation");

  CancelSource source;
  query = engine().NewInstantQuery(hanging, {}, "a + b", 0);
  std::thread stop([&] {
    while (hanging.selects < 3) std::this_thread::yield();
    source.Stop();
  });
  result = (*query)->Exec(source.cancel());
  stop.join();
  EXPECT_EQ(result.status.code(), Code::kCancelled);
  EXPECT_EQ(result.status.message(), "query was canceled in expression evaluation");

  query = engine().NewInstantQuery(storage_, {}, "a", 0);
  EXPECT_EQ((*query)->Exec(source.cancel()).status.message(), "query was canceled in query execution");
}

// Chains as long as their query are evaluated from left to right, on any stack.
TEST_F(EngineTest, LongChainsOfOperatorsNeedNoStack) {
  Load("a", "x", {1, 2, 3});
  Load("a", "y", {5, 6, 7});
  auto chain = [](std::string text, std::string_view more, int times) {
    for (int i = 0; i < times; ++i) text += more;
    return text;
  };
  RunOnSmallStack([&] {
    EXPECT_THAT(Texts(Range(chain("a", " + a", 20'000), 0, 20'000, 10'000)),
                ElementsAre("{l=\"x\"} 20001 40002 60003", "{l=\"y\"} 100005 120006 140007"));
    EXPECT_THAT(Texts(Instant(chain("a", " + 1 - vector(1)", 10'000), 0)), ElementsAre());
    EXPECT_THAT(Texts(Instant(chain("a", " or b", 20'000), 0)),
                ElementsAre("{__name__=\"a\", l=\"x\"} 1", "{__name__=\"a\", l=\"y\"} 5"));
    EXPECT_THAT(Texts(Instant(chain("sum(a)", " + sum(a)", 20'000), 0)), ElementsAre("{} 120006"));
    EXPECT_EQ(Instant(chain("time()", " + time()", 20'000), 1'000).scalar, 20'001);
    EXPECT_THAT(Texts(Instant(chain("time()", " + time()", 5'000) + chain("", " + sum(a)", 15'000), 1'000)),
                ElementsAre("{} 95001"));
    EXPECT_EQ(Instant(chain("1", " + 1", 20'000), 0).scalar, 20'001);
    auto query = engine().NewInstantQuery(storage_, {}, chain("a", " + a", 20'000), 0);
    EXPECT_THAT(ExplanationText((*query)->Explain()), HasSubstr(" ...\n"));
  });
}

// As deep as the parser allows, in all that recurses.
TEST_F(EngineTest, DeepestNestingFitsAThreadsStack) {
  Load("a", "x", {1, 2, 3});
  auto nested = [](std::string_view open, std::string_view close, int times) {
    std::string text;
    for (int i = 0; i < times; ++i) text += open;
    text += "a";
    for (int i = 0; i < times; ++i) text += close;
    return text;
  };
  RunOnSmallStack(
      [&] {
        for (auto [open, close] : {std::pair("(", ")"), std::pair("-(", ")"), std::pair("abs(", ")"),
                                   std::pair("sum(", ")"), std::pair("a + (", ")"), std::pair("vector(scalar(", "))"),
                                   std::pair("max_over_time((", ")[1m:1m])"), std::pair("a ^ ", "")}) {
          for (int depth : {500, 1'000, 10'000}) {
            QueryResult result = Instant(nested(open, close, depth), 0);
            if (!result.status.ok()) EXPECT_THAT(std::string(result.status.message()), HasSubstr("nested"));
          }
        }
      },
      8 << 20);
}

TEST_F(EngineTest, QueriesBeyondTheLimitWaitTheirTurn) {
  options_.max_concurrent = 1;
  HangingStorage hanging;
  CancelSource source;
  auto first = engine().NewInstantQuery(hanging, {}, "a", 0);
  std::thread running([&] { (void)(*first)->Exec(source.cancel()); });
  while (hanging.selects == 0) std::this_thread::yield();

  QueryOptions options;
  options.timeout = std::chrono::milliseconds(10);
  auto second = engine().NewInstantQuery(storage_, options, "1", 0);
  QueryResult result = (*second)->Exec(Cancel());
  EXPECT_EQ(result.status.message(), "query timed out in query queue");
  EXPECT_GT(result.stats.exec_queue, 0);

  auto third = engine().NewInstantQuery(storage_, {}, "1", 0);
  std::thread waiting([&] { result = (*third)->Exec(Cancel()); });
  source.Stop();
  waiting.join();
  running.join();
  EXPECT_TRUE(result.status.ok());
  EXPECT_EQ(result.scalar, 1);
}

TEST_F(EngineTest, SamplesAreCountedAsUpstream) {
  Load("a", "1", {1, 2, 3, 4, 5, 6, 7});
  QueryResult result = Instant("a", 20'000);
  EXPECT_EQ(result.stats.total_queryable_samples, 1);
  result = Range("sum_over_time(a[30s])", 30'000, 60'000, 10'000);
  EXPECT_EQ(result.stats.total_queryable_samples, 12);
  EXPECT_EQ(result.stats.samples_read, 6);
  result = Range("sum_over_time(a[30s:10s])", 30'000, 60'000, 10'000);
  EXPECT_EQ(result.stats.total_queryable_samples, 12);
  EXPECT_EQ(result.stats.samples_read, 6);
  result = Range("a @ 20", 30'000, 60'000, 10'000);
  EXPECT_EQ(result.stats.total_queryable_samples, 4);
  EXPECT_EQ(result.stats.samples_read, 1);
  result = Instant("a[30s]", 60'000);
  EXPECT_EQ(result.stats.total_queryable_samples, 3);
}

TEST_F(EngineTest, SamplesPerStepWhenAskedFor) {
  options_.per_step_stats = true;
  Load("a", "1", {1, 2, 3, 4, 5, 6, 7});
  QueryOptions options;
  options.per_step_stats = true;
  auto query = engine().NewRangeQuery(storage_, options, "sum_over_time(a[20s])", 0, 20'000, 10'000);
  QueryResult result = (*query)->Exec(Cancel());
  EXPECT_THAT(result.stats.total_queryable_samples_per_step, ElementsAre(1, 2, 2));
  EXPECT_THAT(result.stats.samples_read_per_step, ElementsAre(1, 1, 1));
}

TEST_F(EngineTest, SamplesOfMatricesAreCountedAtTheirOneStep) {
  options_.per_step_stats = true;
  options_.experimental_functions = true;
  Load("a", "1", {1, 2, 3, 4, 5, 6, 7});
  Histogram histogram;
  histogram.count = histogram.sum = 1;
  storage_.AppendHistogram(Labels::From({{"__name__", "h"}}), 0, histogram);
  struct {
    const char* query;
    int64_t total, read;
  } const cases[] = {{"a[20s]", 2, 2},
                     {"(a + a)[20s:10s]", 4, 4},
                     {"(a > 100)[20s:10s]", 2, 2},
                     {"sum_over_time(a[20s])[20s:10s]", 4, 3},
                     {"start_timestamp(h)", 1, 1}};
  for (const auto& c : cases) {
    SCOPED_TRACE(c.query);
    QueryOptions options;
    options.per_step_stats = true;
    auto query = engine().NewInstantQuery(storage_, options, c.query, 60'000);
    const QueryResult result = (*query)->Exec(Cancel());
    ASSERT_TRUE(result.status.ok()) << result.status.message();
    EXPECT_EQ(result.stats.total_queryable_samples, c.total);
    EXPECT_EQ(result.stats.samples_read, c.read);
    EXPECT_THAT(result.stats.total_queryable_samples_per_step, ElementsAre(c.total));
    EXPECT_THAT(result.stats.samples_read_per_step, ElementsAre(c.read));
  }
}

TEST_F(EngineTest, ResultsDoNotDependOnThreads) {
  for (int i = 0; i < 3000; ++i) {
    std::vector<double> values;
    for (int s = 0; s < 30; ++s) values.push_back(std::sin(i * 31 + s * 7) * std::pow(10, (i + s) % 17));
    Load("a_total", std::to_string(i), values);
  }
  ThreadPool pool("query", 4);
  Engine parallel(options_, pool, nullptr, SystemClock());
  for (const char* text : {"sum(rate(a_total[1m]))", "avg(a_total)", "stddev(a_total * 2)", "topk(3, a_total)",
                           "max_over_time(rate(a_total[1m])[1m:10s])", "sum by (l) (a_total) / a_total"}) {
    auto query = parallel.NewRangeQuery(storage_, {}, text, 0, 300'000, 10'000);
    QueryResult other = (*query)->Exec(Cancel());
    EXPECT_EQ(Texts(Range(text, 0, 300'000, 10'000)), Texts(other)) << text;
  }
}

TEST_F(EngineTest, FloatsAndHistogramsOfOneSeriesEachHaveTheirSteps) {
  const Labels labels = Labels::From({{"__name__", "h"}});
  for (int64_t i = 0; i < 8; ++i) {
    Histogram histogram;
    histogram.count = histogram.sum = static_cast<double>(10 * i);
    histogram.positive_spans = {{0, 1}};
    histogram.positive_buckets = {histogram.count};
    if (i < 4) {
      storage_.Append(labels, i * 10'000, static_cast<double>(i));
    } else {
      storage_.AppendHistogram(labels, i * 10'000, histogram);
    }
  }
  // Windows of two samples: floats, then one of each (no result and a warning), then histograms.
  QueryResult rates = Range("increase(h[20s])", 20'000, 70'000, 10'000);
  ASSERT_EQ(Texts(rates), (std::vector<std::string>{"{} 2 2 _ _ _ _"}));
  const Column& column = rates.rows[0].column;
  EXPECT_EQ(column.FindHistogram(2), nullptr);
  ASSERT_NE(column.FindHistogram(3), nullptr);
  EXPECT_EQ(column.FindHistogram(3)->count, 20);
  EXPECT_THAT(rates.annotations.warnings(),
              ElementsAre("PromQL warning: encountered a mix of histograms and floats for metric name \"h\" (1:10)"));
  EXPECT_THAT(Texts(Range("histogram_sum(h)", 20'000, 70'000, 10'000)), ElementsAre("{} _ _ 40 50 60 70"));
  EXPECT_THAT(Texts(Range("changes(h[1m])", 70'000, 70'000, 10'000)), ElementsAre("{} 5"));
  EXPECT_THAT(Numbers(Instant("sum(h)", 30'000)), ElementsAre(3));
  EXPECT_EQ(Instant("sum(h * 2)", 70'000).rows[0].column.FindHistogram(0)->count, 140);
}

TEST_F(EngineTest, ExplainShowsThePlan) {
  auto query = engine().NewRangeQuery(
      storage_, {}, "sum by (l) (rate(c{a=~\"x|y\"}[5m] offset 1m)) / on (l) group_left () (m @ 3) > bool -2", 0,
      60'000, 10'000);
  ASSERT_TRUE(query.ok());
  EXPECT_EQ(ExplanationText((*query)->Explain()),
            "> bool\n"
            "  / on (l) group_left ()\n"
            "    sum by (l)\n"
            "      rate\n"
            "        select c{a=~\"x|y\"}[5m] back 1m\n"
            "    once for all steps\n"
            "      select m ahead 3s\n"
            "  -2\n");
}

TEST_F(EngineTest, AnalyzeCountsWhatOperatorsYield) {
  Load("c", "a", {5, 15, 25, 5, 20});
  Load("c", "b", {5, 15, 25});
  QueryOptions options;
  options.analyze = true;
  auto query = engine().NewRangeQuery(storage_, options, "sum(rate(c[20s]))", 20'000, 40'000, 10'000);
  ASSERT_TRUE(query.ok());
  QueryResult result = (*query)->Exec(Cancel());
  ASSERT_TRUE(result.explanation.has_value());
  const Explanation& sum = *result.explanation;
  ASSERT_TRUE(sum.cost.has_value());
  EXPECT_EQ(sum.cost->series, 1);
  EXPECT_EQ(sum.cost->samples, 3);
  EXPECT_GT(sum.cost->total_seconds, 0);
  const Explanation& rate = sum.children[0];
  ASSERT_TRUE(rate.cost.has_value());
  EXPECT_EQ(rate.cost->series, 2);
  EXPECT_EQ(rate.cost->samples, 4);
  EXPECT_GT(rate.cost->peak_bytes, 0u);
  EXPECT_FALSE(rate.children[0].cost.has_value());  // part of the same operator
  EXPECT_FALSE(Range("sum(c)", 0, 1000, 1000).explanation.has_value());
}

TEST_F(EngineTest, SharedPartsAreRunOnceAndCountAsOften) {
  Load("c", "a", {1, 2, 3, 4, 5});
  Load("c", "b", {10, 20, 30, 40, 50});
  EXPECT_THAT(Texts(Range("sum(c) / sum(c) + sum(c)", 0, 40'000, 10'000)), ElementsAre("{} 12 23 34 45 56"));
  EXPECT_EQ(Range("sum(c)", 0, 40'000, 10'000).stats.total_queryable_samples, 10);
  EXPECT_EQ(Range("sum(c) / sum(c) + sum(c)", 0, 40'000, 10'000).stats.total_queryable_samples, 30);
  EXPECT_EQ(Range("sum(c) / sum(c) + sum(c)", 0, 40'000, 10'000).stats.samples_read, 30);
  // A part that is shared below a subquery and another that is not.
  EXPECT_THAT(Texts(Range("max_over_time((sum(c) - sum(c))[20s:10s]) + sum(c)", 20'000, 40'000, 10'000)),
              ElementsAre("{} 33 44 55"));
}

TEST_F(EngineTest, MessagesOfSharedPartsNameTheLastPlace) {
  Load("c", "a", {1, 2, 3, 4, 5});
  QueryResult result = Instant("sum(rate(c[30s])) / sum(rate(c[30s]))", 40'000);
  ASSERT_EQ(result.annotations.infos().size(), 1u);
  EXPECT_THAT(*result.annotations.infos().begin(), HasSubstr("(1:30)"));
}

TEST_F(EngineTest, XFunctionsLookAtTheSampleBeforeTheWindow) {
  options_.x_functions = true;
  Load("c", "a", {5, 15, 25, 5, 20});
  EXPECT_THAT(Numbers(Instant("xincrease(c[20s])", 40'000)), ElementsAre(20));  // 25 -> 5 -> 20
  EXPECT_THAT(Numbers(Instant("xrate(c[20s])", 40'000)), ElementsAre(1));
  EXPECT_THAT(Numbers(Instant("xdelta(c[20s])", 40'000)), ElementsAre(-5));
  // A first sample much older than the others are apart is left out.
  Load("g", "a", {0, kGap, kGap, kGap, 20, 30, 40});
  EXPECT_THAT(Numbers(Instant("xdelta(g[25s])", 60'000)), ElementsAre(20));
  EXPECT_THAT(Numbers(Instant("xincrease(g[25s])", 60'000)), ElementsAre(40));
  // Without new samples there is no more increase, for an hour.
  EXPECT_THAT(Numbers(Instant("xincrease(c[20s])", 3'000'000)), ElementsAre(0));
  EXPECT_THAT(Numbers(Instant("xincrease(c[20s])", 3'700'000)), ElementsAre());
}

TEST_F(EngineTest, XIncreaseTakesANewCounterToHaveBegunAtZero) {
  options_.x_functions = true;
  Load("c", "a", {3, 3, 3});
  EXPECT_THAT(Numbers(Instant("xincrease(c[30s])", 10'000)), ElementsAre(3));
  EXPECT_THAT(Numbers(Instant("xincrease(c[30s])", 40'000)), ElementsAre(0));
  EXPECT_THAT(Numbers(Instant("xrate(c[30s])", 10'000)), ElementsAre(0));
}

TEST_F(EngineTest, XFunctionsAreUnknownByDefault) {
  EXPECT_THAT(Instant("xrate(c[20s])", 0).status.message(), HasSubstr("unknown function with name \"xrate\""));
}

TEST_F(EngineTest, FeaturesGoByPrometheusNames) {
  EngineOptions options;
  EXPECT_TRUE(EnableFeature("promql-binop-fill-modifiers", &options));
  EXPECT_TRUE(options.binop_fill_modifiers);
  EXPECT_FALSE(options.delayed_name_removal);
  EXPECT_TRUE(EnableFeature("promql-duration-expr", &options));
  EXPECT_FALSE(EnableFeature("exemplar-storage", &options));
}

TEST_F(EngineTest, MetricsCountQueries) {
  telemetry::Registry registry;
  Engine counted(options_, executor_, nullptr, SystemClock(), &registry);
  Load("a", "1", {1});
  auto query = counted.NewInstantQuery(storage_, {}, "a", 0);
  (void)(*query)->Exec(Cancel());
  std::string text = registry.Expose(false);
  EXPECT_THAT(text, HasSubstr("prometheus_engine_query_samples_total 1"));
  EXPECT_THAT(text, HasSubstr("prometheus_engine_queries 0"));
  EXPECT_THAT(text, HasSubstr("prometheus_engine_query_duration_seconds_count{slice=\"inner_eval\"} 1"));
}

}  // namespace
}  // namespace gauntlet::promql
