#include "telemetry/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <thread>

namespace gauntlet::telemetry {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Counter, AddsWholeAndFractionalAmounts) {
  Counter counter;
  counter.Add();
  counter.Add(41);
  counter.Add(0.5);
  counter.Add(1e300);
  EXPECT_EQ(counter.value(), 42.5 + 1e300);
}

TEST(Counter, LosesNothingBetweenThreads) {
  Counter counter;
  Gauge gauge;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10000; ++i) {
        counter.Add(i % 2 == 0 ? 1 : 0.5);
        gauge.Add(i % 2 == 0 ? 1 : -1);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(counter.value(), 30000);
  EXPECT_EQ(gauge.value(), 0);
}

TEST(Histogram, UpperBoundBelongsToItsBucket) {
  Histogram histogram({1, 2.5});
  for (double v : {0.5, 1.0, 1.1, 2.5, 2.6, std::numeric_limits<double>::quiet_NaN()}) histogram.Observe(v);
  EXPECT_EQ(histogram.counts(), (std::vector<uint64_t>{2, 2, 2}));
  EXPECT_TRUE(std::isnan(histogram.sum()));
}

TEST(Registry, WritesTextFormat) {
  Registry registry;
  registry.MakeCounter("b_total", "Things \\ with\na \"break\".").Add(3);
  registry.MakeGauge("a", "A gauge.").Set(-1.5);
  auto family = registry.MakeCounters("c_total", "Labelled.", {"zone", "code"});
  family.With({"x", "500"}).Add();
  family.With({"quote\" back\\ line\n", "200"}).Add(2000000);
  registry.MakeCounters("empty_total", "No children.", {"l"});
  EXPECT_EQ(registry.Expose(false),
            "# HELP a A gauge.\n# TYPE a gauge\na -1.5\n"
            "# HELP b_total Things \\\\ with\\na \"break\".\n# TYPE b_total counter\nb_total 3\n"
            "# HELP c_total Labelled.\n# TYPE c_total counter\n"
            "c_total{code=\"200\",zone=\"quote\\\" back\\\\ line\\n\"} 2e+06\n"
            "c_total{code=\"500\",zone=\"x\"} 1\n");
}

TEST(Registry, WritesHistogramsCumulatively) {
  Registry registry;
  auto family = registry.MakeHistograms("h", "H.", {"code"}, {0.001, 1});
  for (double v : {0.0005, 0.5, 0.6, 7.0}) family.With({"200"}).Observe(v);
  EXPECT_EQ(registry.Expose(false),
            "# HELP h H.\n# TYPE h histogram\n"
            "h_bucket{code=\"200\",le=\"0.001\"} 1\nh_bucket{code=\"200\",le=\"1\"} 3\n"
            "h_bucket{code=\"200\",le=\"+Inf\"} 4\nh_sum{code=\"200\"} 8.1005\nh_count{code=\"200\"} 4\n");
}

TEST(Registry, WritesOpenMetrics) {
  Registry registry;
  registry.MakeCounter("b_total", "Say \"b\".").Add(3);
  registry.MakeCounter("odd", "A counter without the suffix.").Add(1);
  registry.MakeHistogram("h", "H.", {1}).Observe(1);
  registry.MakeSummaries("s", "S.", {}).With({}).Observe(2);
  registry.MakeCollected("u", "U.", "untyped", [] { return std::vector<Sample>{{"", {{"a", "b"}}, 1e6}}; });
  EXPECT_EQ(registry.Expose(true),
            "# HELP b Say \\\"b\\\".\n# TYPE b counter\nb_total 3.0\n"
            "# HELP h H.\n# TYPE h histogram\nh_bucket{le=\"1.0\"} 1\nh_bucket{le=\"+Inf\"} 1\nh_sum 1.0\nh_count 1\n"
            "# HELP odd A counter without the suffix.\n# TYPE odd unknown\nodd 1.0\n"
            "# HELP s S.\n# TYPE s summary\ns_sum 2.0\ns_count 1\n"
            "# HELP u U.\n# TYPE u unknown\nu{a=\"b\"} 1e+06\n"
            "# EOF\n");
}

TEST(Registry, SameNameIsSameFamily) {
  Registry registry;
  registry.MakeCounters("c", "C.", {"a"}).With({"1"}).Add();
  registry.MakeCounters("c", "C.", {"a"}).With({"1"}).Add();
  EXPECT_THAT(registry.Expose(false), HasSubstr("c{a=\"1\"} 2\n"));
  EXPECT_DEATH(registry.MakeGauges("c", "C.", {"a"}), "check failed");
  EXPECT_DEATH(registry.MakeCounters("c", "C.", {"b"}), "check failed");
}

TEST(Family, RemovedChildIsNotExposedAndMayStillBeUpdated) {
  Registry registry;
  auto family = registry.MakeGauges("g", "G.", {"a", "b"});
  Gauge& one = family.With({"1", ""});
  family.With({"", "1"}).Set(2);  // the same bytes, split elsewhere
  std::string_view values[] = {"1", ""};
  family.Remove(values);
  one.Set(9);
  EXPECT_THAT(registry.Expose(false), Not(HasSubstr("} 9")));
  EXPECT_THAT(registry.Expose(false), HasSubstr("g{a=\"\",b=\"1\"} 2\n"));
  family.Clear();
  EXPECT_EQ(registry.Expose(false), "");
  EXPECT_EQ(family.With({"1", ""}).value(), 0);
  EXPECT_THAT(registry.Expose(false), HasSubstr("g{a=\"1\",b=\"\"} 0\n"));
}

TEST(Registry, ExposesWhileOthersRegisterAndUpdate) {
  Registry registry;
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&registry, t] {
      for (int i = 0; i < 300; ++i) {
        registry.MakeCounters("c" + std::to_string(i % 7), "C.", {"t"}).With({std::to_string(t + i % 50)}).Add();
        registry.MakeHistograms("h", "H.", {"t"}, {1, 2}).With({std::to_string(t)}).Observe(i);
      }
    });
  }
  for (int i = 0; i < 50; ++i) EXPECT_THAT(registry.Expose(true), HasSubstr("# EOF"));
  for (auto& thread : threads) thread.join();
  EXPECT_THAT(registry.Expose(false), HasSubstr("h_count{t=\"2\"} 300\n"));
}

}  // namespace
}  // namespace gauntlet::telemetry
