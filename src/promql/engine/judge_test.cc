// Random typed queries over random data, by the engine and by the judge. JUDGE_QUERIES and JUDGE_SEED choose how many
// and which; a difference prints what is needed to see it again.

#include "promql/engine/testing/judge.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <random>

#include "model/stale.h"
#include "promql/engine/engine.h"
#include "promql/syntax/parser.h"
#include "storage/memory_storage.h"

namespace gauntlet::promql {
namespace {

class QueryMaker {
 public:
  explicit QueryMaker(std::mt19937_64& random) : random_(random) {}

  std::string Vector(int depth) {
    if (depth <= 0) return Selector() + Modifiers();
    switch (Pick(13)) {
      case 0:
        return Selector() + Modifiers();
      case 1:
      case 2:
        return RangeFunction(depth);
      case 3:
      case 4:
        return Aggregation(depth);
      case 5:
        return Simple(depth);
      case 6:
        return fmt::format("({} {} {})", Vector(depth - 1), ScalarOperator(), Scalar(depth - 1));
      case 7:
        return fmt::format("({} {} {})", Scalar(depth - 1), ScalarOperator(), Vector(depth - 1));
      case 8:
      case 9:
        return fmt::format("({} {} {})", Vector(depth - 1), VectorOperator(), Vector(depth - 1));
      case 10:
        return fmt::format("({} {} {} {})", Vector(depth - 1), OneOf({"and", "or", "unless"}), Matching(),
                           Vector(depth - 1));
      case 11:
        return "-" + Vector(depth - 1);
      default:
        return OneOf({"vector({})", "absent({1})", "histogram_quantile(0.9, {2})",
                      "label_join({1}, \"l\", \"-\", \"m\")", "label_replace({1}, \"l\", \"z\", \"m\", \"x.*\")"},
                     [&](const std::string& shape) {
                       return fmt::format(fmt::runtime(shape), Scalar(depth - 1), Vector(depth - 1),
                                          OneOf({"h_bucket", "rate(h_bucket[1m])", "sum by (le) (h_bucket)"}));
                     });
    }
  }

 private:
  size_t Pick(size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random_); }
  std::string OneOf(std::vector<std::string> of) { return of[Pick(of.size())]; }
  template <typename Fn>
  std::string OneOf(std::vector<std::string> of, Fn fn) {
    // {} and {1} do not mix in one format string.
    std::string shape = of[Pick(of.size())];
    for (size_t at; (at = shape.find("{}")) != std::string::npos;) shape.replace(at, 2, "{0}");
    return fn(shape);
  }

  std::string Selector() {
    std::string name = OneOf(
        {"a", "b", "c_total", "a", "{__name__=~\"a|b\"}", "nothing", "n", "n", "k", "mix", "{__name__=~\"n|k\"}"});
    if (name.starts_with("{") || Pick(2) == 0) return name;
    return name + OneOf({"{l=\"1\"}", "{l!=\"1\"}", "{m=~\"x|y\"}", "{l=\"2\", m=\"x\"}"});
  }
  std::string Modifiers() {
    std::string text;
    if (Pick(6) == 0) text += OneOf({" @ 100", " @ 203.5", " @ start()", " @ end()"});
    if (Pick(6) == 0) text += OneOf({" offset 17s", " offset 1m", " offset -30s"});
    return text;
  }
  std::string Range(int depth) {
    if (depth > 0 && Pick(4) == 0) {
      return fmt::format("({})[{}:{}]{}", Vector(depth - 1), OneOf({"1m", "95s", "3m"}),
                         OneOf({"10s", "25s", "1m", ""}), Modifiers());
    }
    return Selector() + OneOf({"[20s]", "[1m]", "[75s]", "[5m]"}) + Modifiers();
  }
  std::string RangeFunction(int depth) {
    std::string name = OneOf({"rate",
                              "increase",
                              "delta",
                              "irate",
                              "idelta",
                              "deriv",
                              "changes",
                              "resets",
                              "avg_over_time",
                              "sum_over_time",
                              "min_over_time",
                              "max_over_time",
                              "count_over_time",
                              "last_over_time",
                              "present_over_time",
                              "stddev_over_time",
                              "stdvar_over_time",
                              "quantile_over_time",
                              "predict_linear",
                              "absent_over_time"});
    if (name == "quantile_over_time") return fmt::format("{}({}, {})", name, Scalar(0), Range(depth - 1));
    if (name == "predict_linear") return fmt::format("{}({}, {})", name, Range(depth - 1), Scalar(0));
    return fmt::format("{}({})", name, Range(depth - 1));
  }
  std::string Aggregation(int depth) {
    std::string grouping =
        OneOf({"", "by (l)", "by (m)", "by (l, m)", "without (l)", "by (__name__)", "without (m, x)"});
    std::string name = OneOf({"sum", "avg", "min", "max", "count", "group", "stddev", "stdvar", "topk", "bottomk",
                              "quantile", "count_values"});
    std::string param;
    if (name == "topk" || name == "bottomk") {
      // Among equals the first stays: the order of series has to be known, and upstream loses it in functions.
      std::string input = Pick(2) == 0 ? Selector() : fmt::format("sum_over_time({}[1m])", Selector());
      return fmt::format("{} {} ({}, {})", name, grouping, OneOf({"1", "2", "3.7", "0", "scalar(b{l=\"1\", m=\"x\"})"}),
                         input);
    }
    if (name == "quantile") param = OneOf({"0.5, ", "0.9, ", "1.5, ", "-1, "});
    if (name == "count_values") {
      // The last bit of a computed value shows in its text: samples as they are, or rounded to what no data is near.
      std::string input = Pick(2) == 0 ? Selector() : fmt::format("round({}, 0.0173)", Vector(depth - 1));
      return fmt::format("count_values {} ({}, {})", grouping, OneOf({"\"v\"", "\"l\""}), input);
    }
    return fmt::format("{} {} ({}{})", name, grouping, param, Vector(depth - 1));
  }
  std::string Simple(int depth) {
    std::string shape = OneOf({"abs({})",
                               "ceil({})",
                               "floor({})",
                               "sqrt({})",
                               "sgn({})",
                               "round({}, 5)",
                               "round({})",
                               "clamp({}, 2, 20)",
                               "clamp_min({}, 3)",
                               "clamp_max({}, NaN)",
                               "timestamp({})",
                               "exp({})",
                               "clamp({}, 9, 1)",
                               "histogram_count({})",
                               "histogram_sum({})",
                               "histogram_avg({})",
                               "histogram_stddev({})",
                               "histogram_stdvar({})",
                               "histogram_fraction(0.3, 3, {})",
                               "histogram_fraction(-1, 1, {})",
                               "histogram_quantile(0.3, {})",
                               "histogram_quantile(0.8, {})",
                               "({} </ 1.5)",
                               "({} >/ 0.7)"});
    return fmt::format(fmt::runtime(shape), Vector(depth - 1));
  }
  std::string Scalar(int depth) {
    if (depth <= 0 || Pick(3) > 0)
      return OneOf({"2", "0.5", "3", "-1", "0", "time()", "scalar(b{l=\"1\", m=\"x\"})", "Inf"});
    if (Pick(2) == 0) return fmt::format("scalar({})", Vector(depth - 1));
    return fmt::format("({} {} {})", Scalar(depth - 1), OneOf({"+", "-", "*", "/", "%", "> bool", "== bool"}),
                       Scalar(depth - 1));
  }
  std::string ScalarOperator() {
    return OneOf({"+", "-", "*", "/", "%", "^", "==", "!=", ">", "<", ">=", "<=", "> bool", "== bool"});
  }
  std::string VectorOperator() {
    std::string op = ScalarOperator();
    std::string matching = Matching();
    if (!matching.empty() && Pick(2) == 0) {
      matching += OneOf({" group_left ()", " group_right ()", " group_left (m)", " group_right (l)"});
    }
    return op + " " + matching;
  }
  std::string Matching() { return OneOf({"", "on (l)", "on (l, m)", "ignoring (m)", "on ()", "ignoring (l)"}); }

  std::mt19937_64& random_;
};

using Data = std::vector<std::pair<Labels, Samples>>;

// Native histograms of a series: counters with resets, or gauges, some of which change their layout. Counts are whole.
class HistogramMaker {
 public:
  HistogramMaker(std::mt19937_64& random, bool custom) : random_(random) {
    h_.hint = Pick(5) == 0 ? ResetHint::kGauge : ResetHint::kUnknown;
    if (custom) {
      h_.schema = kCustomBucketsSchema;
      ChangeBounds();
    } else {
      h_.schema = static_cast<int32_t>(Pick(3));
      h_.zero_threshold = Pick(2) == 0 ? 0.001 : 0.25;
    }
  }

  Histogram Next() {
    if (Pick(25) == 0) {
      // A new layout loses what there was.
      h_.positive.clear();
      h_.negative.clear();
      h_.count = h_.sum = h_.zero_count = 0;
      if (h_.custom()) {
        ChangeBounds();
      } else {
        h_.schema = static_cast<int32_t>(Pick(3));
        h_.zero_threshold = Pick(2) == 0 ? 0.001 : 0.25;
      }
    }
    for (uint64_t n = Pick(4); n > 0; --n) {
      const double count = static_cast<double>(1 + Pick(5));
      const size_t indexes = h_.custom() ? h_.bounds.size() + 1 : size_t{6} << h_.schema;
      const int32_t index = static_cast<int32_t>(Pick(indexes)) - (h_.custom() ? 0 : 1);
      if (!h_.custom() && Pick(6) == 0) {
        h_.zero_count += count;
      } else if (!h_.custom() && Pick(5) == 0) {
        h_.negative[index] += count;
      } else {
        h_.positive[index] += count;
      }
      h_.count += count;
      h_.sum += static_cast<double>(Pick(20));
    }
    Histogram h = h_.ToModel();
    if (h.reset_hint == ResetHint::kUnknown && Pick(8) == 0) {
      h.reset_hint = Pick(2) == 0 ? ResetHint::kReset : ResetHint::kNotReset;
    }
    return h;
  }

 private:
  uint64_t Pick(uint64_t n) { return random_() % n; }
  void ChangeBounds() {
    static const std::vector<std::vector<double>> kBounds = {{1, 2, 5}, {1, 5, 10}, {-2, 0, 2, 5}};
    h_.bounds = kBounds[Pick(kBounds.size())];
  }

  std::mt19937_64& random_;
  JudgeHistogram h_;
};

// The series "n" (exponential), "k" (custom) and "mix" (with floats between, and both kinds of buckets).
void AddHistogramSeries(std::mt19937_64& random, Data* data) {
  auto pick = [&](uint64_t n) { return random() % n; };
  for (const char* name : {"n", "k", "mix"}) {
    for (const char* l : {"1", "2"}) {
      for (const char* m : {"x", "y"}) {
        if (pick(5) == 0) continue;
        LabelsBuilder builder;
        builder.Set("__name__", name).Set("l", l).Set("m", m);
        const bool mixed = std::string_view(name) == "mix";
        HistogramMaker exponential(random, false), custom(random, true);
        bool is_custom = std::string_view(name) == "k", is_float = false;
        Samples samples;
        for (int64_t t = static_cast<int64_t>(pick(15'000)); t < 600'000;
             t += 10'000 + (pick(10) == 0 ? static_cast<int64_t>(pick(200'000)) : 0)) {
          if (mixed && pick(6) == 0) is_float = !is_float;
          if (mixed && pick(12) == 0) is_custom = !is_custom;
          const bool stale = pick(25) == 0;
          if (!is_float && !stale) {
            samples.histograms.push_back(
                {static_cast<uint32_t>(samples.size()), (is_custom ? custom : exponential).Next()});
          }
          samples.times_ms.push_back(t);
          samples.values.push_back(stale ? StaleNaN() : static_cast<double>(pick(20)));
        }
        if (samples.size() > 0) data->emplace_back(builder.Build(), std::move(samples));
      }
    }
  }
}

// Series with gaps, resets, stale markers, and values whose sums are exact.
Data MakeData(std::mt19937_64& random) {
  auto pick = [&](uint64_t n) { return random() % n; };
  Data data;
  for (const char* name : {"a", "b", "c_total", "h_bucket"}) {
    for (const char* l : {"1", "2", "3"}) {
      for (const char* m : {"x", "y"}) {
        for (const char* le : {"1", "2.5", "+Inf"}) {
          bool histogram = std::string_view(name) == "h_bucket";
          if (!histogram && std::string_view(le) != "1") continue;
          if (pick(6) == 0) continue;
          LabelsBuilder builder;
          builder.Set("__name__", name).Set("l", l).Set("m", m);
          if (histogram) builder.Set("le", le);
          Samples samples;
          double counter = 0;
          int64_t t = static_cast<int64_t>(pick(15'000));
          const bool sparse = pick(4) == 0;
          for (; t < 600'000; t += 10'000 + (pick(10) == 0 ? static_cast<int64_t>(pick(200'000)) : 0)) {
            if (sparse && pick(3) != 0) continue;
            double value;
            if (histogram || std::string_view(name) == "c_total") {
              counter = pick(20) == 0 ? 0 : counter + static_cast<double>(pick(8));
              value = counter;
            } else {
              value = static_cast<double>(static_cast<int64_t>(pick(80)) - 20) / 4;
              if (pick(60) == 0) value = pick(2) == 0 ? std::nan("") : INFINITY;
            }
            if (pick(25) == 0) value = StaleNaN();
            samples.times_ms.push_back(t);
            samples.values.push_back(value);
          }
          if (samples.size() > 0) data.emplace_back(builder.Build(), std::move(samples));
        }
      }
    }
  }
  AddHistogramSeries(random, &data);
  std::sort(data.begin(), data.end(), [](const auto& x, const auto& y) { return CompareLabels(x.first, y.first) < 0; });
  return data;
}

// An error without the series that it names: which comes first among the results of functions, upstream leaves to
// chance.
std::string ErrorOf(std::string_view error) {
  size_t group = error.find(" for the match group"), side = error.find(" on the ");
  if (group == std::string_view::npos || side == std::string_view::npos) return std::string(error);
  return std::string(error.substr(0, group)) + std::string(error.substr(side, error.find('[') - side));
}

std::string Describe(const JudgeMatrix& matrix) {
  std::string text;
  for (const JudgeSeries& s : matrix) {
    text += "\n  " + s.labels.ToString();
    for (const auto& [t, v] : s.points) text += fmt::format(" {}@{}", v.ToString(), t);
  }
  return text;
}

// The engine's answer in the judge's form.
JudgeMatrix FromResult(const QueryResult& result) {
  JudgeMatrix out;
  for (const Row& row : result.rows) {
    JudgeSeries series{row.labels, false, {}};
    ForEachBit(row.column.present(), row.column.words(),
               [&](uint32_t step) { series.points[result.grid.time_ms(step)] = row.column.values()[step]; });
    for (const HistogramPoint& p : row.column.histograms()) {
      series.points[result.grid.time_ms(p.step)] = JudgeHistogram(*p.histogram);
    }
    out.push_back(std::move(series));
  }
  return out;
}

std::string Difference(JudgeMatrix expected, JudgeMatrix actual) {
  auto by_labels = [](const JudgeSeries& a, const JudgeSeries& b) { return a.labels < b.labels; };
  std::stable_sort(expected.begin(), expected.end(), by_labels);
  std::stable_sort(actual.begin(), actual.end(), by_labels);
  bool same = expected.size() == actual.size();
  for (size_t i = 0; same && i < expected.size(); ++i) {
    same = expected[i].labels == actual[i].labels && expected[i].points.size() == actual[i].points.size();
    for (auto x = expected[i].points.begin(), y = actual[i].points.begin(); same && x != expected[i].points.end();
         ++x, ++y) {
      same = x->first == y->first && SameJudgeValue(x->second, y->second);
    }
  }
  return same ? "" : "judge:" + Describe(expected) + "\nengine:" + Describe(actual);
}

TEST(Judge, RandomQueriesAgree) {
  const char* count_text = std::getenv("JUDGE_QUERIES");
  const char* seed_text = std::getenv("JUDGE_SEED");
  const int count = count_text != nullptr ? std::atoi(count_text) : 10'000;
  uint64_t seed = seed_text != nullptr ? std::strtoull(seed_text, nullptr, 10) : 1;
  fmt::print("{} queries from seed {}\n", count, seed);
  ThreadPool pool("query", 3);
  InlineExecutor inline_executor;
  int failures = 0, errors = 0, empty = 0;
  Data data;
  std::unique_ptr<storage::MemoryStorage> storage;
  for (int i = 0; i < count && failures < 5; ++i, ++seed) {
    std::mt19937_64 random(seed);
    data = MakeData(random);
    storage = std::make_unique<storage::MemoryStorage>();
    for (const auto& [labels, samples] : data) {
      for (size_t s = 0; s < samples.size(); ++s) storage->Append(labels, samples.times_ms[s], samples.values[s]);
      for (const HistogramSample& h : samples.histograms) {
        storage->AppendHistogram(labels, samples.times_ms[h.position], h.histogram);
      }
    }
    std::string query = QueryMaker(random).Vector(static_cast<int>(random() % 4));
    EngineOptions options;
    options.delayed_name_removal = random() % 2 == 0;
    options.lookback_delta_ms = random() % 2 == 0 ? 300'000 : 25'000;
    options.experimental_functions = true;
    JudgeOptions judge_options;
    judge_options.delayed_name_removal = options.delayed_name_removal;
    judge_options.lookback_ms = options.lookback_delta_ms;
    Engine engine(options, random() % 2 == 0 ? static_cast<Executor&>(pool) : inline_executor, nullptr, SystemClock());
    int64_t start = static_cast<int64_t>(random() % 400'000), step = 1 + static_cast<int64_t>(random() % 40'000);
    int64_t end = start + step * static_cast<int64_t>(random() % 90);
    const bool instant = random() % 4 == 0;
    if (instant) end = start;

    ParserOptions parser;
    parser.experimental_functions = true;
    auto expr = ParseExpr(query, parser);
    if (!expr.ok()) continue;  // a type error: say, `bool` where it may not be
    auto made = instant ? engine.NewInstantQuery(*storage, {}, query, start)
                        : engine.NewRangeQuery(*storage, {}, query, start, end, step);
    ASSERT_TRUE(made.ok()) << query << ": " << made.status().message();
    QueryResult result = (*made)->Exec(Cancel());
    Judge judge(data, judge_options);
    JudgeMatrix expected = judge.Evaluate(**expr, start, end, step);
    std::string difference;
    if (!judge.error().empty() || !result.status.ok()) {
      ++errors;
      if (ErrorOf(judge.error()) != ErrorOf(result.status.message())) {
        difference = fmt::format("judge: \"{}\"\nengine: \"{}\"", judge.error(), result.status.message());
      }
    } else {
      empty += expected.empty();
      difference = Difference(std::move(expected), FromResult(result));
    }
    if (difference.empty()) continue;
    ++failures;
    ADD_FAILURE() << "JUDGE_SEED=" << seed << " " << query << "\n"
                  << (instant ? "instant" : "range") << " " << start << ".." << end << " step " << step << " lookback "
                  << options.lookback_delta_ms << " delayed " << options.delayed_name_removal << "\n"
                  << difference;
  }
  fmt::print("{} errors, {} empty answers\n", errors, empty);
}

}  // namespace
}  // namespace gauntlet::promql
