// The parts of exec that stand alone: columns, labels, quantiles, dates, buckets, templates, windows.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "model/stale.h"
#include "promql/exec/functions/elementwise.h"
#include "promql/exec/functions/label_functions.h"
#include "promql/exec/functions/scalar.h"
#include "promql/exec/functions/vector_functions.h"
#include "promql/exec/histograms/classic_histogram.h"
#include "promql/exec/range/range_function.h"
#include "promql/exec/rows/annotation_set.h"
#include "promql/exec/rows/go_sort.h"
#include "promql/exec/rows/label_ops.h"
#include "promql/exec/rows/math.h"
#include "promql/exec/rows/merge.h"
#include "storage/memory_storage.h"

namespace gauntlet::promql {
namespace {

using ::testing::ElementsAre;

constexpr double kInfinite = std::numeric_limits<double>::infinity();
constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

TEST(Column, PresenceIsByStep) {
  Column column(130);
  EXPECT_TRUE(column.empty());
  column.Set(0, 1);
  column.Set(64, 2);
  column.Set(129, 3);
  std::vector<uint32_t> steps;
  ForEachBit(column.present(), column.words(), [&](uint32_t step) { steps.push_back(step); });
  EXPECT_THAT(steps, ElementsAre(0, 64, 129));
  column.Clear(64);
  EXPECT_FALSE(column.Has(64));
  EXPECT_EQ(column.CountFloats(), 2u);
  column.SetAllPresent();
  EXPECT_TRUE(column.AllFloats());
  EXPECT_EQ(column.present()[2], 3u);  // nothing beyond the last step
}

TEST(Column, CopyAndMoveKeepEverything) {
  Column column(70);
  column.Set(69, 5);
  column.histograms().push_back({3, std::make_shared<Histogram>()});
  Column copy = column.Copy();
  Column moved = std::move(column);
  EXPECT_EQ(column.steps(), 0u);
  for (const Column* c : {&copy, &moved}) {
    EXPECT_EQ(c->values()[69], 5);
    EXPECT_NE(c->FindHistogram(3), nullptr);
    EXPECT_EQ(c->FindHistogram(4), nullptr);
  }
  std::vector<uint64_t> bits(2);
  copy.OrPresence(bits.data());
  EXPECT_THAT(bits, ElementsAre(8, 32));
}

TEST(Merge, DisjointRowsOfEqualLabelsAreOne) {
  Rows rows(3);
  for (size_t i = 0; i < 3; ++i) {
    rows[i].labels = Labels::From({{"l", i == 1 ? "other" : "same"}});
    rows[i].column = Column(4);
    rows[i].column.Set(static_cast<uint32_t>(2 - i), static_cast<double>(i));
    rows[i].drop_name = i == 2;
  }
  ASSERT_TRUE(MergeSameLabels(&rows, MergedName::kOfFirstStep).ok());
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_TRUE(rows[0].column.Has(0));
  EXPECT_TRUE(rows[0].column.Has(2));
  EXPECT_TRUE(rows[0].drop_name);
  rows.emplace_back();
  rows[2].labels = rows[0].labels;
  rows[2].column = Column(4);
  rows[2].column.Set(2, 9);
  EXPECT_EQ(MergeSameLabels(&rows, MergedName::kOfFirstStep).message(),
            "vector cannot contain metrics with the same labelset");
}

TEST(LabelOps, KeepAndRemoveBySortedNames) {
  Labels labels = Labels::From({{"__name__", "m"}, {"a", "1"}, {"b", "2"}, {"long", std::string(300, 'x')}});
  std::string packed;
  std::vector<std::string> names = {"a", "long", "zz"};
  KeepLabels(labels, names, &packed);
  EXPECT_EQ(LabelsView(packed).size(), 2u);
  EXPECT_EQ(LabelsView(packed).Get("long").size(), 300u);
  RemoveLabels(labels, names, &packed);
  EXPECT_EQ(LabelsView(packed).ToString(), "{b=\"2\"}");
  KeepLabels(labels, {}, &packed);
  EXPECT_TRUE(packed.empty());
}

TEST(LabelOps, MetadataGoesTogether) {
  Labels labels = Labels::From({{"__name__", "m"}, {"__type__", "gauge"}, {"__x__", "1"}, {"a", "1"}});
  std::string dropped;
  EXPECT_EQ(DropMetadata(labels, &dropped).ToString(), "{__x__=\"1\", a=\"1\"}");
  NameGuard guard;
  EXPECT_TRUE(guard.Same(dropped));
  EXPECT_TRUE(guard.Same(dropped));
  EXPECT_FALSE(guard.Same("else"));
}

TEST(Quantile, InterpolatesBetweenNeighbours) {
  auto quantile = [](double q, std::vector<double> values) { return Quantile(q, values); };
  EXPECT_EQ(quantile(0.5, {3, 1, 2}), 2);
  EXPECT_EQ(quantile(0.25, {4, 1, 3, 2}), 1.75);
  EXPECT_EQ(quantile(0, {4, 1}), 1);
  EXPECT_EQ(quantile(1, {4, 1}), 4);
  EXPECT_EQ(quantile(-1, {4}), -kInfinite);
  EXPECT_EQ(quantile(2, {4}), kInfinite);
  EXPECT_TRUE(std::isnan(quantile(kNotANumber, {4})));
  EXPECT_TRUE(std::isnan(quantile(0.5, {})));
  // NaN sorts first.
  EXPECT_TRUE(std::isnan(quantile(0.4, {1, kNotANumber, 2})));
  EXPECT_EQ(quantile(0.75, {1, kNotANumber, 2}), 1.5);
}

TEST(Quantile, AgreesWithSorting) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 500; ++i) {
    std::vector<double> values;
    for (size_t n = 1 + random() % 40; n > 0; --n) {
      values.push_back(random() % 9 == 0 ? kNotANumber : static_cast<double>(random() % 20));
    }
    double q = static_cast<double>(random() % 101) / 100;
    std::vector<double> sorted = values;
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](double a, double b) { return std::isnan(a) ? !std::isnan(b) : a < b; });
    double rank = q * static_cast<double>(sorted.size() - 1);
    size_t low = static_cast<size_t>(rank), high = std::min(low + 1, sorted.size() - 1);
    double weight = rank - std::floor(rank);
    double expected = sorted[low] * (1 - weight) + sorted[high] * weight;
    double actual = Quantile(q, values);
    EXPECT_TRUE(expected == actual || (std::isnan(expected) && std::isnan(actual))) << i;
  }
}

TEST(Math, ExtremaAreGos) {
  EXPECT_EQ(GoMax(kNotANumber, kInfinite), kInfinite);
  EXPECT_TRUE(std::isnan(GoMax(kNotANumber, 1)));
  EXPECT_FALSE(std::signbit(GoMax(-0.0, 0.0)));
  EXPECT_TRUE(std::signbit(GoMin(-0.0, 0.0)));
  EXPECT_EQ(GoMin(-kInfinite, kNotANumber), -kInfinite);
}

TEST(Dates, PartsOfADate) {
  auto part = [](const char* name, double seconds) { return FindDateFunction(name)(seconds); };
  constexpr double kLeapDay = 1709208000;  // 2024-02-29T12:00:00Z, a Thursday
  EXPECT_EQ(part("year", kLeapDay), 2024);
  EXPECT_EQ(part("month", kLeapDay), 2);
  EXPECT_EQ(part("day_of_month", kLeapDay), 29);
  EXPECT_EQ(part("day_of_year", kLeapDay), 60);
  EXPECT_EQ(part("day_of_week", kLeapDay), 4);
  EXPECT_EQ(part("days_in_month", kLeapDay), 29);
  EXPECT_EQ(part("hour", kLeapDay), 12);
  EXPECT_EQ(part("minute", kLeapDay + 61), 1);
  EXPECT_EQ(part("day_of_year", kLeapDay + 86400), 61);
  EXPECT_EQ(part("day_of_year", 1735646400), 366);  // 2024-12-31
  EXPECT_EQ(part("year", -1), 1969);
  EXPECT_EQ(part("day_of_month", -86400 * 400.0), 27);
  // What no int64 holds is what Go makes of it.
  EXPECT_EQ(part("year", kNotANumber), part("year", kInfinite));
  EXPECT_EQ(FindDateFunction("century"), nullptr);
}

TEST(BucketQuantile, InterpolatesAndFixes) {
  ForcedMonotonicity forced;
  forced.count = 0;
  auto quantile = [&](double q, std::vector<Bucket> buckets) { return BucketQuantile(q, &buckets, 1000, &forced); };
  EXPECT_EQ(quantile(0.5, {{1, 10}, {2, 20}, {kInfinite, 20}}), 1);
  EXPECT_EQ(quantile(0.75, {{1, 10}, {2, 20}, {kInfinite, 20}}), 1.5);
  EXPECT_EQ(quantile(0.99, {{1, 10}, {kInfinite, 20}}), 1);
  EXPECT_EQ(quantile(0.5, {{-1, 10}, {kInfinite, 10}}), -1);
  EXPECT_TRUE(std::isnan(quantile(0.5, {{1, 10}, {2, 20}})));
  EXPECT_TRUE(std::isnan(quantile(0.5, {{kInfinite, 20}})));
  EXPECT_EQ(quantile(0.5, {{1, 5}, {1, 5}, {2, 20}, {kInfinite, 20}}), 1);
  EXPECT_EQ(forced.count, 0);
  EXPECT_EQ(quantile(0.5, {{1, 10}, {2, 8}, {3, 20}, {kInfinite, 20}}), 1);
  EXPECT_EQ(forced.count, 1);
  EXPECT_EQ(forced.min_bucket, 2);
  EXPECT_EQ(forced.max_diff, 2);
  EXPECT_EQ(quantile(0.5, {{1, 10}, {2, 10 - 1e-13}, {kInfinite, 20}}), 1);
  EXPECT_EQ(forced.count, 1);  // rounding is not worth a word
}

TEST(BucketFraction, BetweenBounds) {
  auto fraction = [](double lower, double upper, std::vector<Bucket> buckets) {
    return BucketFraction(lower, upper, &buckets);
  };
  std::vector<Bucket> buckets = {{1, 10}, {2, 20}, {kInfinite, 40}};
  EXPECT_EQ(fraction(0, 1, buckets), 0.25);
  EXPECT_EQ(fraction(-kInfinite, 1.5, buckets), 0.375);
  EXPECT_EQ(fraction(2, kInfinite, buckets), 0.5);
  EXPECT_EQ(fraction(3, 1, buckets), 0);
  EXPECT_TRUE(std::isnan(fraction(0, 1, {{1, 0}, {kInfinite, 0}})));
}

TEST(ExpandTemplate, AsGo) {
  std::vector<std::string_view> captures = {"whole", "one", "two"};
  std::vector<std::string> names = {"", "first", ""};
  auto expand = [&](std::string_view text) { return ExpandTemplate(text, captures, names); };
  EXPECT_EQ(expand("$0-$1-${2}"), "whole-one-two");
  EXPECT_EQ(expand("$first ${first}x $firstx"), "one onex ");
  EXPECT_EQ(expand("$$1 $ ${ $9 $01"), "$1 $ ${  ");
  EXPECT_EQ(expand("$1x"), "");
  EXPECT_EQ(expand("plain"), "plain");
}

TEST(NaturalOrder, DigitsAreNumbers) {
  EXPECT_TRUE(NaturalLess("a2", "a10"));
  EXPECT_FALSE(NaturalLess("a10", "a2"));
  EXPECT_TRUE(NaturalLess("a", "a1"));
  EXPECT_TRUE(NaturalLess("a1b", "a1c"));
}

TEST(AnnotationSet, PlacesAreLineAndColumn) {
  EXPECT_EQ(LineAndColumn("abc", 1), "1:2");
  EXPECT_EQ(LineAndColumn("a\nbc\nd", 5), "3:1");
  EXPECT_EQ(LineAndColumn("", 0), "unknown position");
  EXPECT_EQ(LineAndColumn("abc", 9), "invalid position");
}

TEST(AnnotationSet, EqualTextsAreOneAndTheLaterPlaceStays) {
  AnnotationSet a, b;
  a.Warn("text", {0, 1});
  b.Warn("text", {2, 3});
  b.Info("text2", {0, 1});
  a.Merge(b);
  Annotations out = a.Render("xyz");
  EXPECT_THAT(out.warnings(), ElementsAre("PromQL warning: text (1:3)"));
  EXPECT_THAT(out.infos(), ElementsAre("PromQL info: text2 (1:1)"));
}

TEST(AnnotationSet, ForcedMonotonicityAddsUp) {
  AnnotationSet a, b;
  a.NonMonotonicBuckets("", {60'000, 60'000, 1, 2, 0.5, 1}, {0, 1});
  b.NonMonotonicBuckets("", {120'000, 180'000, 0.5, 1, 3.456, 2}, {0, 1});
  a.Merge(b);
  EXPECT_THAT(a.Render("q").infos(),
              ElementsAre(::testing::EndsWith(", from buckets 0.5 to 2, with a max diff of 3.5, over 3 samples from "
                                              "1970-01-01T00:01:00Z to 1970-01-01T00:03:00Z (1:1)")));
}

// A range function over samples, with windows of `range_ms` at each step.
std::vector<double> RunRange(const char* name, Samples samples, StepGrid grid, int64_t range_ms,
                             std::vector<double> args = {}) {
  WindowSpec spec{.grid = grid, .range_ms = range_ms};
  RangeCall call;
  call.function = name;
  call.range_ms = range_ms;
  call.range_seconds = static_cast<double>(range_ms) / 1000;
  for (double arg : args) call.args.push_back(std::vector<double>(grid.steps, arg));
  WorkerScratch scratch;
  SeriesWindows windows;
  Column out(grid.steps);
  if (MakeWindows(spec, LabelsView(), &samples, &scratch, &windows)) {
    EXPECT_TRUE(MakeRangeFunction(name)->Run(call, windows, &out, &scratch).ok());
  }
  std::vector<double> values;
  for (uint32_t i = 0; i < grid.steps; ++i) values.push_back(out.Has(i) ? out.values()[i] : -12345);
  return values;
}

// How much is done between two looks at the cancel, not how long that takes.
TEST(Windows, TheEndOfTheQueryIsSeenWithinOneSeries) {
  storage::MemoryStorage storage;
  auto querier = storage.MakeQuerier(0, 1);
  ASSERT_TRUE(querier.ok());
  InlineExecutor executor;
  CancelSource source;
  ExecContext context{.cancel = source.cancel(),
                      .executor = executor,
                      .budget = nullptr,
                      .querier = **querier,
                      .options = {},
                      .meter = SampleMeter(0)};
  WorkerScratch scratch;
  scratch.context = &context;
  const WindowSpec spec{.grid = {0, 1'000, 1'000'000}, .range_ms = 5'000};
  auto visited = [&] {
    Samples samples;
    for (int64_t t = 0; t < 1'000'000; ++t) {
      samples.times_ms.push_back(t * 1'000);
      samples.values.push_back(1);
    }
    SeriesWindows windows;
    MakeWindows(spec, LabelsView(), &samples, &scratch, &windows);
    uint32_t steps = 0;
    ForEachFloatWindow(windows, [&](uint32_t, uint32_t, uint32_t) { ++steps; });
    return steps;
  };
  EXPECT_EQ(visited(), 1'000'000u);
  EXPECT_TRUE(scratch.CheckCancelBehind(1'000'000).ok());
  source.Stop();
  EXPECT_EQ(visited(), kPollSteps);
  EXPECT_EQ(scratch.CheckCancelBehind(1'000'000).code(), Code::kCancelled);
}

TEST(Stages, TheEndOfTheQueryIsSeenWithinOneRow) {
  storage::MemoryStorage storage;
  auto querier = storage.MakeQuerier(0, 1);
  ASSERT_TRUE(querier.ok());
  InlineExecutor executor;
  CancelSource source;
  ExecContext context{.cancel = source.cancel(),
                      .executor = executor,
                      .budget = nullptr,
                      .querier = **querier,
                      .options = {},
                      .meter = SampleMeter(0)};
  WorkerScratch scratch;
  scratch.context = &context;
  auto row = [] {
    Row r;
    r.column = Column(3 * kPollSteps);
    r.column.SetAllPresent();
    std::fill_n(r.column.values(), r.column.steps(), 1.0);
    return r;
  };
  auto stage = MakeNegate(context, false);
  Row whole = row(), cut = row();
  EXPECT_TRUE(stage->Apply(&whole, &scratch).ok());
  EXPECT_EQ(whole.column.values()[3 * kPollSteps - 1], -1);
  source.Stop();
  EXPECT_EQ(stage->Apply(&cut, &scratch).code(), Code::kCancelled);
  EXPECT_EQ(cut.column.values()[kPollSteps - 1], -1);
  EXPECT_EQ(cut.column.values()[kPollSteps], 1);
  std::vector<double> values;
  EXPECT_EQ(MakeConstant(context, 7, 3 * kPollSteps)->Evaluate(&values).code(), Code::kCancelled);
  EXPECT_EQ(values.size(), kPollSteps);
}

TEST(Windows, AreOpenOnTheLeftAndSkipStaleMarkers) {
  Samples samples;
  samples.times_ms = {10, 20, 30, 40};
  samples.values = {1, 2, StaleNaN(), 4};
  EXPECT_THAT(RunRange("count_over_time", samples, {20, 10, 4}, 20), ElementsAre(2, 1, 1, 1));
  EXPECT_THAT(RunRange("last_over_time", samples, {20, 10, 4}, 20), ElementsAre(2, 2, 4, 4));
}

// Samples at a regular interval are counted without a look at their times; the same with one of them moved.
TEST(Windows, HoldWhatLiesInThem) {
  std::mt19937_64 random(7);
  auto below = [&random](uint64_t n) { return static_cast<int64_t>(random() % n); };
  for (int round = 0; round < 400; ++round) {
    const int64_t interval = 1 + below(30), first = below(2000) - 1000, range = 1 + below(200);
    Samples samples;
    const int64_t count = 1 + below(60);
    for (int64_t i = 0; i < count; ++i) {
      samples.times_ms.push_back(first + i * interval);
      samples.values.push_back(static_cast<double>(i));
    }
    if (round % 4 == 3 && interval > 1) samples.times_ms.back() += 1;
    const StepGrid grid{below(3000) - 1500, 1 + below(100), static_cast<uint32_t>(1 + below(80))};
    std::vector<double> expected, last;
    for (uint32_t step = 0; step < grid.steps; ++step) {
      double inside = 0, newest = -12345;
      for (size_t i = 0; i < samples.size(); ++i) {
        const int64_t t = samples.times_ms[i];
        if (t <= grid.time_ms(step) - range || t > grid.time_ms(step)) continue;
        ++inside;
        newest = samples.values[i];
      }
      expected.push_back(inside > 0 ? inside : -12345);
      last.push_back(newest);
    }
    ASSERT_EQ(RunRange("count_over_time", samples, grid, range), expected) << round;
    ASSERT_EQ(RunRange("last_over_time", samples, grid, range), last) << round;
    ASSERT_EQ(RunRange("max_over_time", samples, grid, range), last) << round;
  }
}

// Long windows are slid over; that must give what short ones give by looking at every sample again.
TEST(RangeFunctions, SlidingAgreesWithLookingAgain) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 30; ++round) {
    Samples samples;
    int64_t t = 0;
    for (int i = 0; i < 400; ++i) {
      t += 1 + static_cast<int64_t>(random() % 3) + (random() % 50 == 0 ? 200 : 0);
      samples.times_ms.push_back(t);
      double v = static_cast<double>(random() % 64) - 30;
      if (round % 3 == 1 && random() % 30 == 0) v = kNotANumber;
      if (round % 3 == 2 && random() % 60 == 0) v = random() % 2 == 0 ? kInfinite : 1e308;
      samples.values.push_back(v);
    }
    StepGrid all{0, 5, static_cast<uint32_t>(t / 5 + 20)};
    for (const char* name : {"sum_over_time", "avg_over_time", "min_over_time", "max_over_time", "changes", "resets",
                             "count_over_time", "rate", "increase", "delta", "irate", "last_over_time"}) {
      std::vector<double> sliding = RunRange(name, samples, all, 150);
      for (uint32_t i = 0; i < all.steps; ++i) {
        // One step alone: its window is short beside the samples, and is looked at as a whole.
        double alone = RunRange(name, samples, {all.time_ms(i), 1, 1}, 150)[0];
        ASSERT_TRUE(sliding[i] == alone || (std::isnan(sliding[i]) && std::isnan(alone)))
            << name << " at step " << i << ": " << sliding[i] << " and " << alone;
      }
    }
  }
}

// Hashes of the permutations that Go 1.26 makes of these numbers, in descending order with NaN last.
TEST(GoSort, PutsEqualElementsWhereGoDoes) {
  struct {
    int size, values;
    uint64_t hash;
  } const cases[] = {
      {12, 3, 17830052009544388405u},  {13, 2, 13248361163225018271u},      {40, 5, 3355574696262604127u},
      {100, 3, 17417109817976810387u}, {100, 100000, 4043656167080796795u}, {1000, 7, 17793686748009911963u},
      {1000, 1, 97798787921486669u},   {5000, 50, 12810943638575559009u},   {3000, 1000000, 11505555225239862157u},
  };
  for (const auto& c : cases) {
    uint64_t x = static_cast<uint64_t>(c.size) * 31 + static_cast<uint64_t>(c.values);
    std::vector<std::pair<double, int>> items;
    for (int i = 0; i < c.size; ++i) {
      x = x * 6364136223846793005 + 1442695040888963407;
      double v = static_cast<double>((x >> 33) % static_cast<uint64_t>(c.values));
      if ((x >> 40) % 23 == 0) v = kNotANumber;
      if (c.values == 1000000) v = i % 600;
      items.emplace_back(v, i);
    }
    GoSort(&items, [](const auto& a, const auto& b) { return std::isnan(b.first) || b.first < a.first; });
    uint64_t hash = 14695981039346656037u;
    for (const auto& item : items) hash = (hash ^ static_cast<uint64_t>(item.second)) * 1099511628211u;
    EXPECT_EQ(hash, c.hash) << c.size << " of " << c.values;
  }
}

// Values as they come: noise, whole numbers, a counter, constant runs, a gauge far from zero; some not finite or huge.
double ValueOfKind(int kind, int i, std::mt19937_64& random) {
  const double unit = static_cast<double>(random() % 1000003) / 1000003;
  switch (kind) {
    case 0:
      return unit - 0.5;
    case 1:
      return static_cast<double>(random() % 5);
    case 2:
      return i * 3.25 + unit;
    case 3:
      return i / 90;
    case 4:
      return 1e9 + unit;
    default:
      if (random() % 80 == 0) return random() % 2 == 0 ? kNotANumber : random() % 2 == 0 ? -kInfinite : 1e305;
      return unit * 1e6;
  }
}

TEST(RangeFunctions, SlidingIsWithinRoundingOfLookingAgain) {
  struct {
    const char* name;
    std::vector<double> args;
  } const functions[] = {{"stddev_over_time", {}},
                         {"stdvar_over_time", {}},
                         {"deriv", {}},
                         {"predict_linear", {0.5}},
                         {"rate", {}},
                         {"sum_over_time", {}},
                         {"double_exponential_smoothing", {0.3, 0.3}},
                         {"double_exponential_smoothing", {0.9, 0.6}},
                         {"double_exponential_smoothing", {0.01, 0.2}},
                         {"quantile_over_time", {0.3}},
                         {"quantile_over_time", {0}},
                         {"quantile_over_time", {1}},
                         {"quantile_over_time", {-1}}};
  std::mt19937_64 random(12);
  for (int round = 0; round < 18; ++round) {
    Samples samples;
    int64_t t = 0;
    for (int i = 0; i < 1500; ++i) {
      t += 1 + static_cast<int64_t>(random() % 3) + (random() % 400 == 0 ? 2000 : 0);
      samples.times_ms.push_back(t);
      samples.values.push_back(ValueOfKind(round % 6, i, random));
    }
    StepGrid all{0, 25, static_cast<uint32_t>(t / 25 + 20)};
    for (const auto& [name, args] : functions) {
      std::vector<double> sliding = RunRange(name, samples, all, 900, args);
      for (uint32_t i = 0; i < all.steps; ++i) {
        const double alone = RunRange(name, samples, {all.time_ms(i), 1, 1}, 900, args)[0];
        double size = 0;
        for (size_t s = 0; s < samples.size(); ++s) {
          const int64_t before_end = all.time_ms(i) - samples.times_ms[s];
          const bool plain = std::fabs(samples.values[s]) < 1e300;
          if (plain && before_end >= 0 && before_end < 900) size += std::fabs(samples.values[s]);
        }
        ASSERT_TRUE(sliding[i] == alone || std::isnan(sliding[i]) == std::isnan(alone)) << name;
        if (std::isnan(alone) || sliding[i] == alone) continue;
        ASSERT_TRUE(std::isfinite(alone) && std::isfinite(sliding[i])) << name << " at step " << i;
        const double scale = std::string_view(name) == "stdvar_over_time" ? size * size : size;
        ASSERT_LE(std::fabs(sliding[i] - alone), 1e-12 * scale)
            << name << " at step " << i << " of round " << round << ": " << sliding[i] << " and " << alone;
      }
    }
  }
}

TEST(RangeFunctions, SlidingQuantilesAreExact) {
  std::mt19937_64 random(13);
  for (int kind = 0; kind < 6; ++kind) {
    Samples samples;
    for (int i = 0; i < 3000; ++i) {
      samples.times_ms.push_back(i);
      samples.values.push_back(ValueOfKind(kind, i, random));
    }
    for (double q : {0.0, 0.01, 0.5, 0.95, 1.0}) {
      std::vector<double> sliding = RunRange("quantile_over_time", samples, {100, 20, 150}, 700, {q});
      for (uint32_t i = 0; i < 150; ++i) {
        const double alone = RunRange("quantile_over_time", samples, {100 + 20 * i, 1, 1}, 700, {q})[0];
        ASSERT_TRUE(sliding[i] == alone || (std::isnan(sliding[i]) && std::isnan(alone))) << kind << " " << q;
      }
    }
  }
}

TEST(RangeFunctions, CompensationSurvivesSliding) {
  Samples samples;
  for (int i = 0; i < 300; ++i) {
    samples.times_ms.push_back(i);
    samples.values.push_back(i % 3 == 0 ? 1e100 : i % 3 == 1 ? 1 : -1e100);
  }
  std::vector<double> sums = RunRange("sum_over_time", samples, {89, 3, 60}, 90);
  for (double sum : sums) EXPECT_EQ(sum, 30);
}

}  // namespace
}  // namespace gauntlet::promql
