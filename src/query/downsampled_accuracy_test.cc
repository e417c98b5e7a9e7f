// What downsampling may cost: every range function over downsampled data against the same over raw samples, at 5m, at
// 1h, and where a series goes on from 1h to 5m to raw. The bounds are those of docs/format/downsampled.md.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "downsample/series_downsampler.h"
#include "downsample/windows.h"
#include "model/stale.h"
#include "promql/engine/engine.h"
#include "query/select.h"
#include "tsdb/chunkenc/aggr_chunk.h"

namespace gauntlet::query {
namespace {

using downsample::kFiveMinutesMs;
using downsample::kHourMs;
using tsdb::EncodedChunk;

constexpr int64_t kStartMs = 1'767'571'200'000, kScrapeMs = 30'000;
constexpr int64_t kDayMs = 24 * kHourMs, kSpanMs = 4 * kDayMs;

// ---- data

struct Data {
  std::string name;
  Samples samples;
};

void Add(int64_t t, double v, Samples* out) {
  out->times_ms.push_back(t);
  out->values.push_back(v);
}

// With a walk's steps below 1, and times that jitter by up to a second.
Data RandomWalk(const char* name, bool gaps) {
  std::mt19937_64 random(gaps ? 2 : 1);
  Data data{name, {}};
  double v = 100;
  for (int64_t t = 0; t < kSpanMs; t += kScrapeMs) {
    v += static_cast<double>(random() % 2001) / 1000 - 1;
    int64_t hour = t / kHourMs;
    if (gaps && (hour % 7 == 3 || (hour % 5 == 1 && t % kHourMs > 17 * 60'000 && t % kHourMs < 44 * 60'000))) continue;
    Add(kStartMs + t + static_cast<int64_t>(random() % 1000), v, &data.samples);
  }
  return data;
}

Data Counter(bool resets) {
  std::mt19937_64 random(3);
  Data data{resets ? "restarting_total" : "steady_total", {}};
  double v = 0;
  for (int64_t t = 0; t < kSpanMs; t += kScrapeMs) {
    v = resets && random() % 500 == 0 ? static_cast<double>(random() % 3) : v + static_cast<double>(random() % 20);
    Add(kStartMs + t + static_cast<int64_t>(random() % 1000), v, &data.samples);
  }
  return data;
}

Data HistogramCounter() {
  std::mt19937_64 random(4);
  Data data{"native", {}};
  Histogram h;
  h.is_float = false;
  h.schema = 2;
  h.positive_spans = {{0, 4}};
  h.positive_buckets.resize(4);
  for (int64_t t = 0; t < kSpanMs; t += kScrapeMs) {
    size_t bucket = random() % 4;
    double n = static_cast<double>(random() % 5);
    h.positive_buckets[bucket] += n;
    h.count += n;
    h.sum += n * static_cast<double>(bucket);
    data.samples.histograms.push_back({static_cast<uint32_t>(data.samples.size()), h});
    Add(kStartMs + t, 0, &data.samples);
  }
  return data;
}

// ---- a store that has all resolutions

enum class Shape { kFine, kBorders };  // one resolution for all time, or 1h up to two days, 5m for a day, then raw

class ResolutionStore : public storeapi::Store {
 public:
  ResolutionStore(std::vector<Data> all, Shape shape) : shape_(shape) {
    for (const Data& data : all) {
      std::map<int64_t, std::vector<EncodedChunk>>& by_resolution = series_[data.name];
      // As in blocks of a day, each downsampled by itself.
      for (int64_t begin = kStartMs; begin < kStartMs + kSpanMs; begin += kDayMs) {
        size_t first = At(data.samples, begin), last = At(data.samples, begin + kDayMs);
        Samples day;
        AppendRange(data.samples, first, last, &day);
        std::vector<EncodedChunk> raw, five, hour;
        tsdb::EncodeSamples(day, 120, &raw);
        Make(raw, 0, kFiveMinutesMs, &five);
        Make(five, kFiveMinutesMs, kHourMs, &hour);
        for (auto [resolution, chunks] : {std::pair(int64_t{0}, &raw), {kFiveMinutesMs, &five}, {kHourMs, &hour}}) {
          for (EncodedChunk& chunk : *chunks) by_resolution[resolution].push_back(std::move(chunk));
        }
      }
    }
  }

  std::unique_ptr<storeapi::SeriesStream> Series(const storeapi::SeriesRequest& request,
                                                 const storeapi::CallContext&) override {
    auto batch = std::make_shared<storeapi::SeriesBatch>();
    size_t bytes = 0;
    for (const auto& [name, by_resolution] : series_) {
      for (const auto& [resolution, chunks] : by_resolution) {
        for (const EncodedChunk& chunk : chunks) bytes += chunk.bytes.size();
      }
    }
    batch->frame()->reserve(bytes);
    for (const auto& [name, by_resolution] : series_) {
      bool wanted = std::ranges::all_of(
          request.matchers, [&](const Matcher& m) { return m.Matches(m.name() == "__name__" ? name : ""); });
      if (!wanted) continue;
      std::vector<wire::ChunkView> views;
      for (int64_t begin = kStartMs; begin < kStartMs + kSpanMs; begin += kDayMs) {
        int64_t resolution = Served(begin, request.max_resolution_ms);
        for (const EncodedChunk& chunk : by_resolution.at(resolution)) {
          if (chunk.mint_ms >= begin && chunk.mint_ms < begin + kDayMs) {
            AddViews(chunk, request.aggregates, batch->frame(), &views);
          }
        }
      }
      batch->Add(Labels::From({{"__name__", name}}), views);
    }
    return storeapi::BatchStream({batch});
  }
  Result<storeapi::LabelsAnswer> LabelNames(const storeapi::LabelsRequest&, const storeapi::CallContext&) override {
    return storeapi::LabelsAnswer{};
  }
  Result<storeapi::LabelsAnswer> LabelValues(const storeapi::LabelsRequest&, const storeapi::CallContext&) override {
    return storeapi::LabelsAnswer{};
  }

 private:
  static size_t At(const Samples& samples, int64_t t) {
    return static_cast<size_t>(std::ranges::lower_bound(samples.times_ms, t) - samples.times_ms.begin());
  }
  static void Make(const std::vector<EncodedChunk>& from, int64_t from_ms, int64_t to_ms,
                   std::vector<EncodedChunk>* out) {
    std::vector<downsample::TimedChunk> views;
    for (const auto& chunk : from) views.push_back({chunk.mint_ms, chunk.maxt_ms, chunk.view()});
    Status status = downsample::SeriesDownsampler(from_ms, to_ms).Downsample(views, out);
    EXPECT_TRUE(status.ok()) << status.message();
  }
  int64_t Served(int64_t begin, int64_t max_resolution_ms) const {
    int64_t coarsest = kHourMs;
    if (shape_ == Shape::kBorders) {
      coarsest = begin < kStartMs + 2 * kDayMs ? kHourMs : begin < kStartMs + 3 * kDayMs ? kFiveMinutesMs : 0;
    }
    for (int64_t resolution : {kHourMs, kFiveMinutesMs}) {
      if (resolution <= coarsest && resolution <= max_resolution_ms) return resolution;
    }
    return 0;
  }
  static void AddViews(const EncodedChunk& chunk, const std::vector<wire::Aggregate>& aggregates, std::string* frame,
                       std::vector<wire::ChunkView>* views) {
    auto add = [&](tsdb::ChunkView part, wire::Aggregate aggregate, bool joined) {
      size_t at = frame->size();
      frame->append(part.bytes);
      wire::ChunkView view;
      view.min_time_ms = chunk.mint_ms;
      view.max_time_ms = chunk.maxt_ms;
      view.data = std::string_view(*frame).substr(at);
      view.encoding = static_cast<uint8_t>(part.encoding);
      view.aggregate = aggregate;
      view.joined = joined;
      views->push_back(view);
    };
    if (chunk.encoding != tsdb::Encoding::kAggregate) return add(chunk.view(), wire::Aggregate::kRaw, false);
    auto parts = tsdb::ParseAggrChunk(chunk.bytes);
    bool joined = false;
    for (wire::Aggregate aggregate : aggregates) {
      tsdb::ChunkView part = parts->parts[static_cast<size_t>(aggregate) - 1];
      if (part.encoding == tsdb::Encoding::kNone) continue;
      add(part, aggregate, joined);
      joined = true;
    }
  }

  const Shape shape_;
  std::map<std::string, std::map<int64_t, std::vector<EncodedChunk>>> series_;
};

// ---- what is known of the raw samples of a range

struct Facts {
  double min = INFINITY, max = -INFINITY;   // of the range, widened by a window on both sides
  double spread = 0;                        // the greatest max - min of a window
  double gap = 0;                           // between neighbours of the sorted averages of the windows
  double window_increase = 0;               // the greatest increase of a window and from one to the next
  double slope = 0;                         // the greatest increase per second between two samples
  double window_count = 0, window_sum = 0;  // greatest
  size_t windows = 0, samples = 0;
  double range() const { return max - min; }
};

Facts FactsOf(const Samples& samples, int64_t from_ms, int64_t to_ms, int64_t resolution_ms) {
  Facts facts;
  struct Window {
    double min = INFINITY, max = -INFINITY, increase = 0, sum = 0, count = 0;
  };
  std::map<int64_t, Window> windows;
  double last = NAN;
  int64_t last_t = 0;
  for (size_t i = 0; i < samples.size(); ++i) {
    int64_t t = samples.times_ms[i];
    if (t <= from_ms - 2 * resolution_ms || t > to_ms + resolution_ms) continue;
    double v = samples.values[i];
    Window& w = windows[downsample::WindowEnd(t, resolution_ms)];
    w.min = std::min(w.min, v);
    w.max = std::max(w.max, v);
    w.sum += v;
    ++w.count;
    if (!std::isnan(last)) {
      double increase = v < last ? v : v - last;
      w.increase += increase;
      facts.slope = std::max(facts.slope, increase / (static_cast<double>(t - last_t) / 1000));
    }
    last = v;
    last_t = t;
    ++facts.samples;
  }
  std::vector<double> averages;
  for (const auto& [end, w] : windows) {
    facts.min = std::min(facts.min, w.min);
    facts.max = std::max(facts.max, w.max);
    facts.spread = std::max(facts.spread, w.max - w.min);
    facts.window_increase = std::max(facts.window_increase, w.increase);
    facts.window_count = std::max(facts.window_count, w.count);
    facts.window_sum = std::max(facts.window_sum, std::fabs(w.sum));
    averages.push_back(w.sum / w.count);
  }
  std::sort(averages.begin(), averages.end());
  for (size_t i = 1; i < averages.size(); ++i) facts.gap = std::max(facts.gap, averages[i] - averages[i - 1]);
  facts.windows = windows.size();
  return facts;
}

// ---- asking

struct Config {
  const char* name;
  Shape shape;
  int64_t max_resolution_ms, range_ms;
};
void PrintTo(const Config& config, std::ostream* out) { *out << config.name; }

constexpr Config kConfigs[] = {{"5m", Shape::kFine, kFiveMinutesMs, 4 * kHourMs},
                               {"1h", Shape::kFine, kHourMs, 12 * kHourMs},
                               {"borders", Shape::kBorders, kHourMs, 12 * kHourMs}};

class DownsampledAccuracy : public ::testing::TestWithParam<Config> {
 protected:
  using Answers = std::map<int64_t, double>;

  DownsampledAccuracy()
      : data_{RandomWalk("walk", false), RandomWalk("gappy", true), Counter(false), Counter(true), HistogramCounter()} {
    auto endpoint = std::make_shared<storeapi::Endpoint>();
    endpoint->address = "store:1";
    endpoint->supports_sharding = endpoint->supports_without_replica_labels = true;
    endpoint->store = std::make_shared<ResolutionStore>(data_, GetParam().shape);
    endpoints_ = {endpoint};
  }

  const Samples& SamplesOf(const std::string& name) const {
    return std::ranges::find_if(data_, [&](const Data& d) { return d.name == name; })->samples;
  }

  // By time. `shift_ms` from the ends of windows.
  Answers Ask(const std::string& query, int64_t max_resolution_ms, int64_t shift_ms = 0) {
    SelectScope scope;
    scope.max_resolution_ms = max_resolution_ms;
    storeapi::Proxy proxy({}, [this] { return endpoints_; }, pool_, telemetry::Logger::Discard());
    StoreQueryable queryable(proxy, scope);
    promql::EngineOptions options;
    options.experimental_functions = options.extended_range_selectors = options.x_functions = true;
    options.lookback_delta_ms = 2 * kHourMs;
    promql::Engine engine(options, pool_, nullptr, SystemClock());
    // The ends of hours but a millisecond: then windows of both resolutions are in the range or not, as a whole.
    int64_t start = kStartMs + kDayMs - 1 + shift_ms, end = kStartMs + kSpanMs - 1;
    auto asked = engine.NewRangeQuery(queryable, {.windows = max_resolution_ms > 0}, query, start, end, kHourMs);
    EXPECT_TRUE(asked.ok()) << asked.status().message();
    if (!asked.ok()) return {};
    promql::QueryResult result = (*asked)->Exec(Cancel());
    EXPECT_TRUE(result.status.ok()) << result.status.message();
    Answers answers;
    EXPECT_LE(result.rows.size(), 1u);
    for (const promql::Row& row : result.rows) {
      for (uint32_t i = 0; i < row.column.steps(); ++i) {
        if (row.column.Has(i)) answers[result.grid.time_ms(i)] = row.column.values()[i];
      }
    }
    return answers;
  }

  // The bound, from what is known of the raw samples and the raw answer. R and r in seconds.
  using Bound = std::function<double(const Facts&, double raw, double R, double r)>;

  void Expect(const std::string& name, const std::string& call, const Bound& bound, int64_t shift_ms = 0) {
    const Config& config = GetParam();
    std::string query = call;
    query.replace(query.find("$"), 1, name + "[" + std::to_string(config.range_ms / 60'000) + "m]");
    SCOPED_TRACE(query);
    Answers raw = Ask(query, 0, shift_ms), down = Ask(query, config.max_resolution_ms, shift_ms);
    EXPECT_GT(raw.size(), 60u);
    EXPECT_EQ(down.size(), raw.size());
    double worst = 0;
    for (auto [t, expected] : raw) {
      if (!down.contains(t)) continue;
      Facts facts = FactsOf(SamplesOf(name), t - config.range_ms, t, config.max_resolution_ms);
      double allowed = bound(facts, expected, static_cast<double>(config.range_ms) / 1000,
                             static_cast<double>(config.max_resolution_ms) / 1000);
      double error = std::fabs(down[t] - expected);
      EXPECT_LE(error, allowed) << "at " << (t - kStartMs) / 1000 << " s: raw " << expected << ", downsampled "
                                << down[t];
      worst = std::max(worst, error);
    }
    RecordProperty(name, std::to_string(worst));
  }

  const std::vector<Data> data_;
  ThreadPool pool_{"test", 8};
  std::vector<storeapi::EndpointPtr> endpoints_;
};
INSTANTIATE_TEST_SUITE_P(Resolutions, DownsampledAccuracy, ::testing::ValuesIn(kConfigs),
                         [](const auto& info) { return std::string("At") + info.param.name; });

double Rounding(double raw) { return 1e-9 * (1 + std::fabs(raw)); }
const auto kExact = [](const Facts&, double raw, double, double) { return Rounding(raw); };

TEST_P(DownsampledAccuracy, CountsSumsAndExtremesOfWholeWindowsAreExact) {
  for (const char* name : {"walk", "gappy"}) {
    for (const char* call : {"count_over_time($)", "sum_over_time($)", "min_over_time($)", "max_over_time($)",
                             "avg_over_time($)", "present_over_time($)", "absent_over_time($) or vector(0)"}) {
      Expect(name, call, kExact);
    }
  }
  Expect("native", "count_over_time($)", kExact);
  Expect("native", "histogram_count(sum_over_time($))", kExact);
  Expect("native", "histogram_sum(sum_over_time($))", kExact);
  Expect("native", "histogram_count(avg_over_time($))", kExact);
}

TEST_P(DownsampledAccuracy, OtherTimesCostTheWindowsThatLieAcrossTheEndsOfTheRange) {
  const int64_t shift = 17 * 60'000 + 3'000;
  for (const char* name : {"walk", "gappy"}) {
    Expect(
        name, "count_over_time($)", [](const Facts& f, double, double, double) { return 2 * f.window_count; }, shift);
    Expect(name, "sum_over_time($)", [](const Facts& f, double, double, double) { return 2 * f.window_sum; }, shift);
    for (const char* call : {"min_over_time($)", "max_over_time($)", "avg_over_time($)"}) {
      Expect(name, call, [](const Facts& f, double, double, double) { return f.range(); }, shift);
    }
  }
  for (const char* name : {"steady_total", "restarting_total"}) {
    Expect(name, "increase($)", [](const Facts& f, double, double, double) { return 4 * f.window_increase; }, shift);
  }
}

TEST_P(DownsampledAccuracy, CountersIncreaseExactlyFromTheEndOfAWindowToThatOfAnother) {
  for (const char* name : {"steady_total", "restarting_total"}) {
    Expect(name, "increase($ anchored)", kExact);
    Expect(name, "rate($ anchored)", kExact);
  }
  Expect("native", "histogram_count(increase($))", [](const Facts&, double raw, double R, double r) {
    return raw * 2 * r / (R - r);  // what comes evenly is extrapolated well
  });
}

TEST_P(DownsampledAccuracy, ExtrapolatedIncreasesAreOffByTwoWindows) {
  for (const char* name : {"steady_total", "restarting_total"}) {
    Expect(name, "increase($)", [](const Facts& f, double, double, double) { return 2 * f.window_increase; });
    Expect(name, "rate($)", [](const Facts& f, double, double R, double) { return 2 * f.window_increase / R; });
    Expect(name, "irate($)", [](const Facts& f, double, double, double) { return f.slope; });
    Expect(name, "resets($)", [](const Facts&, double raw, double, double) { return raw; });  // none is seen
  }
}

TEST_P(DownsampledAccuracy, AveragesStandForTheirWindows) {
  for (const char* name : {"walk", "gappy"}) {
    for (const char* call : {"last_over_time($)", "first_over_time($)"}) {
      Expect(name, call, [](const Facts& f, double, double, double) { return f.spread; });
    }
    Expect(name, "delta($)", [](const Facts& f, double raw, double R, double r) {
      return 2 * f.spread * R / (R - r) + std::fabs(raw) * r / (R - r) + (f.range() * r / (R - r));
    });
    Expect(name, "idelta($)",
           [](const Facts& f, double, double, double) { return 2 * (2 * f.spread + f.gap) + f.range(); });
    for (const char* call :
         {"ts_of_last_over_time($)", "ts_of_first_over_time($)", "ts_of_min_over_time($)", "ts_of_max_over_time($)"}) {
      Expect(name, call, [](const Facts&, double, double, double r) { return r; });
    }
    Expect(name, "changes($)", [](const Facts& f, double, double, double) { return static_cast<double>(f.samples); });
  }
}

TEST_P(DownsampledAccuracy, DistributionsAreThoseOfTheAverages) {
  // Of windows that hold equally many samples: those of a window lie within its spread from their average.
  Expect("walk", "stddev_over_time($)", [](const Facts& f, double, double, double) { return f.spread; });
  Expect("walk", "stdvar_over_time($)",
         [](const Facts& f, double raw, double, double) { return f.spread * (2 * std::sqrt(raw) + f.spread); });
  for (const char* q : {"0", "0.1", "0.5", "0.95", "1"}) {
    Expect("walk", std::string("quantile_over_time(") + q + ", $)",
           [](const Facts& f, double, double, double) { return f.spread + f.gap; });
  }
  Expect("walk", "mad_over_time($)", [](const Facts& f, double, double, double) { return 2 * (f.spread + f.gap); });
}

TEST_P(DownsampledAccuracy, TrendsAreThoseOfTheAverages) {
  for (const char* name : {"walk", "steady_total"}) {
    Expect(name, "deriv($)", [](const Facts& f, double, double R, double) { return 6 * f.spread / R; });
    Expect(name, "predict_linear($, 3600)", [](const Facts& f, double, double R, double r) {
      return 4 * f.spread + 6 * f.spread * (3600 + r) / R + f.spread;
    });
  }
  Expect("walk", "double_exponential_smoothing($, 0.5, 0.1)",
         [](const Facts& f, double, double, double) { return 2 * f.range(); });
}

TEST_P(DownsampledAccuracy, SubqueriesSeeAveragesNotSums) {
  const Config& config = GetParam();
  for (const char* function : {"sum_over_time", "count_over_time", "avg_over_time"}) {
    std::string query = std::string(function) + "(walk[" + std::to_string(config.range_ms / 60'000) + "m:1h])";
    SCOPED_TRACE(query);
    Answers raw = Ask(query, 0), down = Ask(query, config.max_resolution_ms);
    ASSERT_EQ(raw.size(), down.size());
    for (auto [t, expected] : raw) {
      Facts facts = FactsOf(SamplesOf("walk"), t - config.range_ms, t, config.max_resolution_ms);
      double steps = static_cast<double>(config.range_ms / kHourMs);
      EXPECT_LE(std::fabs(down[t] - expected), 2 * facts.spread * steps) << t;
    }
  }
}

TEST_P(DownsampledAccuracy, AnInstantIsTheAverageOfItsWindow) {
  const Config& config = GetParam();
  for (const char* query : {"walk", "steady_total", "min(walk)", "max(walk)"}) {
    SCOPED_TRACE(query);
    Answers raw = Ask(query, 0), down = Ask(query, config.max_resolution_ms);
    std::string name = std::string(query).find("walk") != std::string::npos ? "walk" : query;
    EXPECT_EQ(raw.size(), down.size());
    for (auto [t, expected] : raw) {
      double spread = FactsOf(SamplesOf(name), t - config.max_resolution_ms, t, config.max_resolution_ms).spread;
      ASSERT_TRUE(down.contains(t));
      EXPECT_LE(std::fabs(down[t] - expected), spread) << t;
    }
  }
}

}  // namespace
}  // namespace gauntlet::query
