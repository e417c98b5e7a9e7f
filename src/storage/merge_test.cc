#include "storage/merge.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "storage/memory_storage.h"
#include "storage/strings.h"

namespace gauntlet::storage {
namespace {

const SelectHints kAll{.start_ms = 0, .end_ms = 1'000'000};

Labels Job(std::string value) { return Labels::From({{"__name__", "up"}, {"job", std::move(value)}}); }

using Content = std::map<std::string, std::vector<std::pair<int64_t, double>>>;

Content Drain(SeriesSet& set) {
  Content content;
  std::string last;
  for (;;) {
    auto next = set.Next();
    EXPECT_TRUE(next.ok()) << next.status().message();
    if (!next.ok() || *next == nullptr) return content;
    std::string text = (*next)->labels().ToString();
    EXPECT_LT(last, text);
    last = text;
    Samples samples;
    EXPECT_TRUE((*next)->Read(&samples).ok());
    for (size_t i = 0; i < samples.size(); ++i) content[text].emplace_back(samples.times_ms[i], samples.values[i]);
  }
}

std::unique_ptr<SeriesSet> SelectAll(MemoryStorage& storage) {
  return (*storage.MakeQuerier(0, 1'000'000))->Select(kAll, {}, Cancel(), nullptr);
}

// A source that gives `series` series and then fails.
class FailingQuerier : public Querier {
 public:
  explicit FailingQuerier(int series) : series_(series) {
    for (int i = 0; i < series; ++i) storage_.Append(Job(std::to_string(i)), 1, 1);
  }
  std::unique_ptr<SeriesSet> Select(const SelectHints&, std::span<const Matcher>, const Cancel&,
                                    MemoryBudget*) override {
    class Set : public SeriesSet {
     public:
      Set(std::unique_ptr<SeriesSet> set, int left) : set_(std::move(set)), left_(left) {}
      Result<std::unique_ptr<Series>> Next() override {
        if (left_-- == 0) return Status(Code::kUnavailable, "peer is gone");
        return set_->Next();
      }
      const Annotations& annotations() const override { return set_->annotations(); }

     private:
      std::unique_ptr<SeriesSet> set_;
      int left_;
    };
    return std::make_unique<Set>(SelectAll(storage_), series_);
  }
  Result<Strings> LabelNames(std::span<const Matcher>, int64_t, const Cancel&) override {
    return Status(Code::kUnavailable, "peer is gone");
  }
  Result<Strings> LabelValues(const std::string&, std::span<const Matcher>, int64_t, const Cancel&) override {
    return Status(Code::kUnavailable, "peer is gone");
  }

 private:
  int series_;
  MemoryStorage storage_;
};

TEST(MergeSeriesSets, AgreesWithOneStorageThatHoldsEverything) {
  std::mt19937 rng(9);
  for (int round = 0; round < 60; ++round) {
    size_t count = 1 + rng() % 7;
    std::vector<MemoryStorage> parts(count);
    MemoryStorage whole;
    // From the last to the first, so that the first one's samples win in `whole`.
    for (size_t p = count; p-- > 0;) {
      for (int i = static_cast<int>(rng() % 40); i > 0; --i) {
        Labels labels = Job(std::to_string(rng() % 5));
        auto time = static_cast<int64_t>(rng() % 20);
        double value = rng() % 1000;
        parts[p].Append(labels, time, value);
        whole.Append(labels, time, value);
      }
    }
    std::vector<std::unique_ptr<SeriesSet>> sets;
    for (auto& part : parts) sets.push_back(SelectAll(part));
    auto merged = MergeSeriesSets(std::move(sets));
    ASSERT_EQ(Drain(*merged), Drain(*SelectAll(whole)));
    ASSERT_EQ(*merged->Next(), nullptr);
  }
}

TEST(MergeSeriesSets, StopsAtTheLimitAndAtNothing) {
  MemoryStorage a, b;
  for (int i = 0; i < 5; ++i) (i % 2 ? a : b).Append(Job(std::to_string(i)), 1, i);
  std::vector<std::unique_ptr<SeriesSet>> sets;
  sets.push_back(SelectAll(a));
  sets.push_back(SelectAll(b));
  EXPECT_EQ(Drain(*MergeSeriesSets(std::move(sets), 3)).size(), 3u);
  EXPECT_EQ(Drain(*MergeSeriesSets({})).size(), 0u);
  sets.clear();
  sets.push_back(SelectAll(b));
  EXPECT_EQ(Drain(*MergeSeriesSets(std::move(sets), 2)).size(), 2u);
}

TEST(ChainSamples, KeepsResetHintsOnlyBetweenNeighbours) {
  auto column = [](std::vector<int64_t> times, ResetHint hint) {
    Samples samples;
    for (int64_t t : times) {
      Histogram histogram;
      histogram.reset_hint = hint;
      histogram.count = static_cast<double>(t);
      samples.histograms.push_back({static_cast<uint32_t>(samples.size()), histogram});
      samples.times_ms.push_back(t);
      samples.values.push_back(0);
    }
    return samples;
  };
  Samples out;
  ChainSamples({column({1, 2, 5, 6}, ResetHint::kNotReset), column({2, 3, 7}, ResetHint::kNotReset)}, &out);
  EXPECT_EQ(out.times_ms, (std::vector<int64_t>{1, 2, 3, 5, 6, 7}));
  std::vector<ResetHint> hints;
  for (const auto& h : out.histograms) hints.push_back(h.histogram.reset_hint);
  using enum ResetHint;
  EXPECT_EQ(hints, (std::vector<ResetHint>{kNotReset, kNotReset, kUnknown, kUnknown, kNotReset, kUnknown}));
  EXPECT_EQ(out.histograms[3].histogram.count, 5);
  EXPECT_EQ(out.histograms[5].position, 5u);

  out.Clear();
  ChainSamples({column({1, 3}, kGauge), column({2}, kGauge)}, &out);
  for (const auto& h : out.histograms) EXPECT_EQ(h.histogram.reset_hint, kGauge);
}

TEST(MergeQuerier, ASecondaryThatFailsAtOnceIsAWarning) {
  auto local = std::make_shared<MemoryStorage>();
  local->Append(Job("x"), 1, 1);
  auto make = [&](bool secondary, int series_before_failure) {
    std::vector<MergeSource> sources;
    sources.push_back({*local->MakeQuerier(0, 1000)});
    sources.push_back({std::make_unique<FailingQuerier>(series_before_failure), secondary});
    return MergeQuerier(std::move(sources));
  };
  MergeQuerier tolerant = make(true, 0);
  auto set = tolerant.Select(kAll, {}, Cancel(), nullptr);
  EXPECT_EQ(Drain(*set).size(), 1u);
  EXPECT_EQ(set->annotations().warnings().count("peer is gone"), 1u);
  EXPECT_EQ(tolerant.LabelNames({}, 0, Cancel())->annotations.warnings().count("peer is gone"), 1u);

  EXPECT_EQ(make(false, 0).Select(kAll, {}, Cancel(), nullptr)->Next().status().code(), Code::kUnavailable);
  EXPECT_FALSE(make(false, 0).LabelNames({}, 0, Cancel()).ok());

  MergeQuerier late = make(true, 1);
  auto broken = late.Select(kAll, {}, Cancel(), nullptr);
  EXPECT_EQ(broken->Next().status().code(), Code::kUnavailable);
  EXPECT_EQ(broken->Next().status().code(), Code::kUnavailable);
}

TEST(MergeQuerier, MergesNamesAndValues) {
  MemoryStorage a, b;
  a.Append(Job("1"), 1, 1);
  a.Append(Job("3"), 1, 1);
  b.Append(Job("2"), 1, 1);
  b.Append(Labels::From({{"x", "y"}}), 1, 1);
  std::vector<MergeSource> sources;
  sources.push_back({*a.MakeQuerier(0, 10)});
  sources.push_back({*b.MakeQuerier(0, 10)});
  MergeQuerier querier(std::move(sources));
  EXPECT_EQ(querier.LabelNames({}, 0, Cancel())->values, (std::vector<std::string>{"__name__", "job", "x"}));
  auto values = *querier.LabelValues("job", {}, 2, Cancel());
  EXPECT_EQ(values.values, (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(values.annotations.warnings().count(kTruncatedWarning), 1u);
}

TEST(Strings, MergeIsTheSortedUnion) {
  EXPECT_TRUE(MergeStrings({}).values.empty());
  std::vector<Strings> parts(3);
  parts[0].values = {"a", "c"};
  parts[1].values = {"b", "c"};
  parts[2].values = {"", "c", "d"};
  parts[2].annotations.Warn("w");
  Strings merged = MergeStrings(std::move(parts));
  EXPECT_EQ(merged.values, (std::vector<std::string>{"", "a", "b", "c", "d"}));
  EXPECT_EQ(merged.annotations.warnings().size(), 1u);
}

}  // namespace
}  // namespace gauntlet::storage
