#include "promql/engine/judge.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <set>

#include "base/float_limits.h"
#include "model/float_text.h"
#include "model/go_math.h"
#include "model/regex.h"
#include "model/stale.h"
#include "promql/engine/judge_math.h"
#include "promql/syntax/function_table.h"
#include "promql/syntax/walk.h"

namespace gauntlet::promql {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr char kSameLabels[] = "vector cannot contain metrics with the same labelset";

const Expr& Bare(const Expr& e) {
  return e.kind == NodeKind::kParen ? Bare(*static_cast<const ParenExpr&>(e).expr) : e;
}

Labels WithoutMetadata(const Labels& labels) {
  LabelsBuilder builder(labels);
  builder.Del("__name__").Del("__type__").Del("__unit__");
  return builder.Build();
}

int64_t Reference(const TimeModifiers& time, int64_t t, int64_t query_start, int64_t query_end) {
  if (time.at == AtModifier::kTimestamp) t = time.at_ms;
  if (time.at == AtModifier::kStart) t = query_start;
  if (time.at == AtModifier::kEnd) t = query_end;
  return t - time.offset_ms;
}

bool IsStale(const JudgeValue& v) { return IsStaleNaN(v.h != nullptr ? v.h->sum : v.f); }

// What upstream's iterator makes of the samples: histograms lose their buckets, and learn whether their counter was
// reset from the one that was met last. `seeks`: the end of each window, in the order in which they are asked for.
std::map<int64_t, JudgeValue> Statistics(const std::map<int64_t, JudgeValue>& samples,
                                         const std::vector<int64_t>& seeks, int64_t window_ms) {
  std::map<int64_t, JudgeValue> out;
  std::shared_ptr<const JudgeHistogram> last;
  auto at = samples.begin();
  bool started = false;
  auto meet = [&] {
    if (at == samples.end() || out.contains(at->first)) return;
    JudgeValue v = at->second;
    if (v.h != nullptr) {
      JudgeHistogram bare;
      bare.hint = v.h->hint;
      bare.schema = v.h->schema;
      bare.count = v.h->count;
      bare.sum = v.h->sum;
      if (!IsStale(v)) {
        if (bare.hint == ResetHint::kUnknown && last != nullptr) {
          bare.hint = WasReset(*v.h, *last) ? ResetHint::kReset : ResetHint::kNotReset;
        }
        last = v.h;
      }
      v = bare;
    }
    out.emplace(at->first, v);
  };
  for (int64_t seek : seeks) {
    if (!started || (at != samples.end() && seek - window_ms > at->first)) {
      last = nullptr;
      at = samples.lower_bound(seek - window_ms);
      started = true;
    }
    for (; at != samples.end() && at->first < seek; ++at) meet();
    if (at != samples.end() && at->first == seek) meet();
  }
  return out;
}

}  // namespace

Judge::Judge(const std::vector<std::pair<Labels, Samples>>& data, JudgeOptions options) : options_(options) {
  for (const auto& [labels, samples] : data) {
    auto& points = data_.emplace_back(labels, std::map<int64_t, JudgeValue>()).second;
    for (size_t i = 0; i < samples.size(); ++i) points[samples.times_ms[i]] = samples.values[i];
    for (const HistogramSample& h : samples.histograms) {
      points[samples.times_ms[h.position]] = JudgeHistogram(h.histogram);
    }
  }
}

void Judge::MarkStatistics(const Expr& expr, bool wanted, bool buckets) {
  if (expr.kind == NodeKind::kVectorSelector && wanted && !buckets) statistics_.insert(&expr);
  if (expr.kind == NodeKind::kSubquery) buckets = true;
  if (expr.kind == NodeKind::kBinary) {
    const BinaryOp op = static_cast<const BinaryExpr&>(expr).op;
    buckets = buckets || op == BinaryOp::kTrimLower || op == BinaryOp::kTrimUpper;
  }
  if (expr.kind == NodeKind::kCall) {
    std::string_view name = static_cast<const Call&>(expr).function->name;
    wanted = wanted || name == "histogram_count" || name == "histogram_sum" || name == "histogram_avg";
    buckets = buckets || name == "histogram_quantile" || name == "histogram_fraction";
  }
  ForEachChild(expr, [&](const Expr& child) { MarkStatistics(child, wanted, buckets); });
}

std::map<int64_t, JudgeValue> Judge::Visible(size_t series, const VectorSelector& selector, const Grid& grid,
                                             int64_t window_ms) const {
  const auto& points = data_[series].second;
  if (!statistics_.contains(&selector)) return points;
  std::vector<int64_t> seeks;
  for (int64_t t = grid.start; t <= grid.end; t += grid.step) {
    seeks.push_back(Reference(selector.time, t, query_start_, query_end_));
  }
  // The storage gives no sample before the first window.
  auto first = points.upper_bound(seeks.front() - window_ms);
  return Statistics({first, points.end()}, seeks, window_ms);
}

JudgeMatrix Judge::Evaluate(const Expr& expr, int64_t start_ms, int64_t end_ms, int64_t step_ms) {
  error_.clear();
  query_start_ = start_ms;
  query_end_ = end_ms;
  statistics_.clear();
  MarkStatistics(expr, false, false);
  JudgeMatrix out = Eval(expr, {start_ms, end_ms, step_ms});
  if (options_.delayed_name_removal && error_.empty()) {
    for (JudgeSeries& s : out) {
      if (s.drop_name) s.labels = WithoutMetadata(s.labels);
    }
    out = Merge(std::move(out));
  }
  return out;
}

void Judge::Drop(Sample* sample) const {
  if (!options_.delayed_name_removal) sample->labels = WithoutMetadata(sample->labels);
  sample->drop_name = true;
}

JudgeMatrix Judge::Merge(JudgeMatrix in) {
  JudgeMatrix out;
  for (JudgeSeries& s : in) {
    auto same = std::find_if(out.begin(), out.end(), [&](const JudgeSeries& o) { return o.labels == s.labels; });
    if (same == out.end()) {
      out.push_back(std::move(s));
      continue;
    }
    for (auto [t, v] : s.points) {
      if (!same->points.emplace(t, v).second) Fail(kSameLabels);
    }
  }
  return out;
}

JudgeMatrix Judge::StepByStep(const std::vector<const Expr*>& exprs, const Grid& grid, const StepFunction& fn) {
  std::vector<JudgeMatrix> inputs;
  for (const Expr* e : exprs) inputs.push_back(e->type() == ValueType::kString ? JudgeMatrix() : Eval(*e, grid));
  JudgeMatrix out;
  for (int64_t t = grid.start; t <= grid.end && error_.empty(); t += grid.step) {
    std::vector<Vector> vectors(inputs.size());
    for (size_t i = 0; i < inputs.size(); ++i) {
      for (const JudgeSeries& s : inputs[i]) {
        auto at = s.points.find(t);
        if (at != s.points.end()) vectors[i].push_back({s.labels, at->second, s.drop_name, t});
      }
    }
    std::vector<JudgeSeries*> seen;
    for (Sample& sample : fn(vectors, t)) {
      auto same = std::find_if(out.begin(), out.end(), [&](const JudgeSeries& o) { return o.labels == sample.labels; });
      if (same != out.end() && same->points.contains(t)) {
        if (grid.one() && options_.delayed_name_removal) {
          out.push_back({sample.labels, sample.drop_name, {{t, sample.value}}});
        } else {
          Fail(kSameLabels);
        }
        continue;
      }
      if (same == out.end()) {
        out.push_back({sample.labels, sample.drop_name, {}});
        same = out.end() - 1;
      }
      same->points[t] = sample.value;
    }
  }
  return out;
}

JudgeMatrix Judge::Eval(const Expr& expr, const Grid& grid) {
  if (!error_.empty() || grid.end < grid.start) return {};
  switch (expr.kind) {
    case NodeKind::kParen:
      return Eval(*static_cast<const ParenExpr&>(expr).expr, grid);
    case NodeKind::kNumber: {
      double v = static_cast<const NumberLiteral&>(expr).value;
      return StepByStep({}, grid, [&](auto&, int64_t t) { return Vector{{Labels(), v, false, t}}; });
    }
    case NodeKind::kVectorSelector:
      return EvalSelector(static_cast<const VectorSelector&>(expr), grid, false);
    case NodeKind::kUnary: {
      const auto& unary = static_cast<const UnaryExpr&>(expr);
      JudgeMatrix out = Eval(*unary.expr, grid);
      if (!unary.minus) return out;
      for (JudgeSeries& s : out) {
        if (!options_.delayed_name_removal) s.labels = WithoutMetadata(s.labels);
        s.drop_name = true;
        for (auto& [t, v] : s.points) v = v.h != nullptr ? JudgeValue(ScaleJudged(*v.h, -1)) : JudgeValue(-v.f);
      }
      return options_.delayed_name_removal ? out : Merge(std::move(out));
    }
    case NodeKind::kBinary:
      return EvalBinary(static_cast<const BinaryExpr&>(expr), grid);
    case NodeKind::kAggregate:
      return EvalAggregate(static_cast<const AggregateExpr&>(expr), grid);
    case NodeKind::kCall: {
      const auto& call = static_cast<const Call&>(expr);
      for (const ExprPtr& arg : call.args) {
        const Expr& bare = Bare(*arg);
        if (bare.type() == ValueType::kMatrix) return EvalRangeCall(call, bare, grid);
      }
      return EvalCall(call, grid);
    }
    default:
      Fail("the judge does not know this node");
      return {};
  }
}

JudgeMatrix Judge::EvalSelector(const VectorSelector& selector, const Grid& grid, bool timestamps) {
  JudgeMatrix out;
  for (size_t i = 0; i < data_.size(); ++i) {
    if (!MatchesAll(selector.matchers, data_[i].first)) continue;
    JudgeSeries series{data_[i].first, false, {}};
    const auto samples = Visible(i, selector, grid, options_.lookback_ms - 1);
    for (int64_t t = grid.start; t <= grid.end; t += grid.step) {
      int64_t reference = Reference(selector.time, t, query_start_, query_end_);
      auto at = samples.upper_bound(reference);
      if (at == samples.begin()) continue;
      --at;
      if (at->first <= reference - options_.lookback_ms || IsStale(at->second)) continue;
      series.points[t] = timestamps ? JudgeValue(static_cast<double>(at->first) / 1000) : at->second;
    }
    if (!series.points.empty()) out.push_back(std::move(series));
  }
  return out;
}

JudgeMatrix Judge::EvalRangeCall(const Call& call, const Expr& range, const Grid& grid) {
  // The samples: of the storage, or of the subquery on its own grid.
  JudgeMatrix input;
  int64_t range_ms;
  const TimeModifiers* time;
  if (range.kind == NodeKind::kSubquery) {
    const auto& subquery = static_cast<const SubqueryExpr&>(range);
    range_ms = subquery.range_ms;
    time = &subquery.time;
    int64_t step = subquery.step_ms != 0 ? subquery.step_ms : options_.subquery_step_ms;
    int64_t first = Reference(*time, grid.start, query_start_, query_end_) - range_ms;
    int64_t last_step = grid.start + (grid.end - grid.start) / grid.step * grid.step;
    // A call that is the same at every step is evaluated at the first alone, and sees no error of the later ones.
    bool once = time->at != AtModifier::kNone && call.function->name != "predict_linear";
    for (const ExprPtr& arg : call.args) {
      once = once && (arg->type() == ValueType::kMatrix || Bare(*arg).kind == NodeKind::kNumber);
    }
    int64_t last = first + range_ms + (once ? 0 : last_step - grid.start);
    int64_t start = first / step * step;
    if (start <= first) start += step;
    input = Eval(*subquery.expr, {start, last, step});
    for (JudgeSeries& s : input) {
      for (auto& [t, v] : s.points) {
        if (v.h == nullptr || v.h->hint == ResetHint::kGauge) continue;
        JudgeHistogram h = *v.h;
        h.hint = ResetHint::kUnknown;
        v = h;
      }
    }
  } else {
    const auto& matrix = static_cast<const MatrixSelector&>(range);
    range_ms = matrix.range_ms;
    time = &matrix.selector->time;
    for (size_t i = 0; i < data_.size(); ++i) {
      if (!MatchesAll(matrix.selector->matchers, data_[i].first)) continue;
      input.push_back({data_[i].first, false, Visible(i, *matrix.selector, grid, range_ms)});
    }
  }
  std::vector<JudgeMatrix> args;
  for (const ExprPtr& arg : call.args) {
    if (arg->type() != ValueType::kMatrix) args.push_back(Eval(*arg, grid));
  }
  if (!error_.empty()) return {};
  const std::string name(call.function->name);
  const bool keeps = name == "last_over_time" || name == "first_over_time" || name == "absent_over_time";
  JudgeMatrix out;
  for (const JudgeSeries& in : input) {
    JudgeSeries series{in.labels, in.drop_name || !keeps, {}};
    if (series.drop_name && !options_.delayed_name_removal) series.labels = WithoutMetadata(series.labels);
    for (int64_t t = grid.start; t <= grid.end; t += grid.step) {
      // With `@` the window stays, though time goes on.
      int64_t end = Reference(*time, t, query_start_, query_end_), begin = end - range_ms;
      JudgeWindow window;
      for (auto at = in.points.upper_bound(begin); at != in.points.end() && at->first <= end; ++at) {
        if (!IsStale(at->second)) window.emplace_back(*at);
      }
      if (window.empty()) continue;
      std::vector<double> values;
      for (const JudgeMatrix& arg : args) values.push_back(arg[0].points.at(t).f);
      bool has = true;
      JudgeValue v = RangeValue(name, window, t, begin, end, values, &has);
      if (has) series.points[t] = v;
    }
    if (!series.points.empty()) out.push_back(std::move(series));
  }
  if (name == "absent_over_time") return EvalAbsentOverTime(range, std::move(out), grid);
  if (!options_.delayed_name_removal) {
    std::set<Labels> seen;
    for (const JudgeSeries& s : out) {
      if (!seen.insert(s.labels).second) Fail(kSameLabels);
    }
  }
  return out;
}

JudgeMatrix Judge::EvalAbsentOverTime(const Expr& range, JudgeMatrix present, const Grid& grid) {
  JudgeSeries absent;
  absent.drop_name = true;
  if (range.kind == NodeKind::kMatrixSelector) {
    LabelsBuilder builder;
    std::map<std::string, int> times;
    const Matchers& matchers = static_cast<const MatrixSelector&>(range).selector->matchers;
    for (const Matcher& m : matchers) ++times[m.name()];
    for (const Matcher& m : matchers) {
      if (m.name() != "__name__" && m.type() == MatchType::kEqual && times[m.name()] == 1) {
        builder.Set(m.name(), m.value());
      }
    }
    absent.labels = builder.Build();
  }
  for (int64_t t = grid.start; t <= grid.end; t += grid.step) {
    bool any = std::any_of(present.begin(), present.end(), [t](const JudgeSeries& s) { return s.points.contains(t); });
    if (!any) absent.points[t] = 1;
  }
  if (absent.points.empty()) return {};
  return {absent};
}

JudgeValue Judge::RangeValue(const std::string& name, JudgeWindow w, int64_t now, int64_t range_start,
                             int64_t range_end, const std::vector<double>& args, bool* has) {
  static const std::set<std::string> kFloatsOnly = {"deriv",
                                                    "predict_linear",
                                                    "min_over_time",
                                                    "max_over_time",
                                                    "stddev_over_time",
                                                    "stdvar_over_time",
                                                    "quantile_over_time"};
  if (kFloatsOnly.contains(name)) std::erase_if(w, [](const auto& p) { return p.second.h != nullptr; });
  if (w.empty()) return *has = false;
  std::vector<std::pair<int64_t, double>> floats;
  for (const auto& [t, v] : w) {
    if (v.h == nullptr) floats.emplace_back(t, v.f);
  }
  if (floats.size() == w.size()) return RangeFloat(name, floats, now, range_start, range_end, args, has);
  const bool two_floats = w.size() > 1 && w.back().second.h == nullptr && w[w.size() - 2].second.h == nullptr;
  if ((name == "irate" || name == "idelta") && two_floats) {
    return RangeFloat(name, floats, now, range_start, range_end, args, has);
  }
  auto value = RangeJudged(name, w, range_start, range_end);
  *has = value.has_value();
  return value.value_or(JudgeValue());
}

double Judge::RangeFloat(const std::string& name, const std::vector<std::pair<int64_t, double>>& w, int64_t now,
                         int64_t range_start, int64_t range_end, const std::vector<double>& args, bool* has) {
  std::vector<double> v;
  for (const auto& p : w) v.push_back(p.second);
  const size_t n = v.size();
  if (name == "rate" || name == "increase" || name == "delta") {
    if (n < 2) return *has = false;
    const bool counter = name != "delta";
    double result = v[n - 1] - v[0];
    for (size_t i = 1; counter && i < n; ++i) {
      if (v[i] < v[i - 1]) result += v[i - 1];
    }
    double to_start = static_cast<double>(w[0].first - range_start) / 1000;
    double to_end = static_cast<double>(range_end - w[n - 1].first) / 1000;
    double sampled = static_cast<double>(w[n - 1].first - w[0].first) / 1000;
    double average = sampled / static_cast<double>(n - 1), limit = average * 1.1;
    if (to_start >= limit) to_start = average / 2;
    if (counter) {
      double to_zero = to_start;
      if (result > 0 && v[0] >= 0) to_zero = sampled * (v[0] / result);
      to_start = to_zero < to_start ? to_zero : to_start;
    }
    if (to_end >= limit) to_end = average / 2;
    double factor = (sampled + to_start + to_end) / sampled;
    if (name == "rate") factor /= static_cast<double>(range_end - range_start) / 1000;
    return result * factor;
  }
  if (name == "irate" || name == "idelta") {
    if (n < 2) return *has = false;
    bool reset = name == "irate" && v[n - 1] < v[n - 2];
    double result = reset ? v[n - 1] : v[n - 1] - v[n - 2];
    if (name == "irate") result /= static_cast<double>(w[n - 1].first - w[n - 2].first) / 1000;
    return result;
  }
  if (name == "deriv" || name == "predict_linear") {
    if (n < 2) return *has = false;
    KahanSum x, y, xy, xx;
    bool constant = true;
    int64_t origin = name == "deriv" ? w[0].first : now;
    for (const auto& [t, value] : w) {
      double dt = static_cast<double>(t - origin) / 1e3;
      constant = constant && value == v[0];
      x.Add(dt);
      y.Add(value);
      xy.Add(dt * value);
      xx.Add(dt * dt);
    }
    double slope, intercept;
    if (std::all_of(v.begin() + 1, v.end(), [&](double o) { return o == v[0]; })) {
      slope = std::isinf(v[0]) ? kNaN : 0;
      intercept = std::isinf(v[0]) ? kNaN : v[0];
    } else {
      double count = static_cast<double>(n), sx = x.sum + x.c, sy = y.sum + y.c;
      slope = ((xy.sum + xy.c) - sx * sy / count) / ((xx.sum + xx.c) - sx * sx / count);
      intercept = sy / count - slope * sx / count;
    }
    return name == "deriv" ? slope : slope * args[0] + intercept;
  }
  if (name == "count_over_time") return static_cast<double>(n);
  if (name == "present_over_time" || name == "absent_over_time") return 1;
  if (name == "last_over_time") return v.back();
  if (name == "first_over_time") return v.front();
  if (name == "avg_over_time") return Mean(v);
  if (name == "quantile_over_time") return ByOrder(args[0], v);
  if (name == "sum_over_time") {
    KahanSum sum;
    for (double x : v) sum.Add(x);
    return std::isinf(sum.sum) ? sum.sum : sum.sum + sum.c;
  }
  if (name == "min_over_time" || name == "max_over_time") {
    double best = v[0];
    for (double x : v) {
      if (std::isnan(best) || (name[1] == 'a' ? x > best : x < best)) best = x;
    }
    return best;
  }
  if (name == "stddev_over_time" || name == "stdvar_over_time") {
    KahanSum mean, aux;
    double count = 0;
    for (double x : v) {
      ++count;
      double delta = x - (mean.sum + mean.c);
      mean.Add(delta / count);
      aux.Add(delta * (x - (mean.sum + mean.c)));
    }
    double variance = (aux.sum + aux.c) / count;
    return name == "stddev_over_time" ? std::sqrt(variance) : variance;
  }
  if (name == "changes" || name == "resets") {
    int count = 0;
    for (size_t i = 1; i < n; ++i) {
      bool both_nan = std::isnan(v[i]) && std::isnan(v[i - 1]);
      count += name == "changes" ? v[i] != v[i - 1] && !both_nan : v[i] < v[i - 1];
    }
    return count;
  }
  Fail("the judge does not know " + name);
  return 0;
}

JudgeMatrix Judge::EvalLabels(const Call& call, const Grid& grid) {
  auto text = [&](size_t i) { return static_cast<const StringLiteral&>(Bare(*call.args[i])).value; };
  JudgeMatrix out = Eval(*call.args[0], grid);
  const std::string target = text(1);
  for (JudgeSeries& s : out) {
    LabelsBuilder builder(s.labels);
    if (call.function->name == "label_join") {
      std::string joined;
      for (size_t i = 3; i < call.args.size(); ++i) {
        joined += (i > 3 ? text(2) : "") + std::string(s.labels.Get(text(i)));
      }
      builder.Set(target, joined);
    } else {
      // Only replacements without references.
      auto regex = Regex::Make(text(4));
      if (!(*regex)->Matches(s.labels.Get(text(3)))) continue;
      builder.Set(target, text(2));
    }
    s.labels = builder.Build();
    if (target == "__name__") s.drop_name = false;
  }
  return Merge(std::move(out));
}

namespace {

double ClassicQuantile(double q, std::vector<std::pair<double, double>> buckets) {
  if (std::isnan(q)) return kNaN;
  if (q < 0) return -kInf;
  if (q > 1) return kInf;
  if (buckets.back().first != kInf || buckets.size() < 2) return kNaN;
  for (size_t i = 1; i < buckets.size(); ++i) buckets[i].second = std::max(buckets[i].second, buckets[i - 1].second);
  if (buckets.back().second == 0) return kNaN;
  double rank = q * buckets.back().second;
  size_t b = 0;
  while (b + 1 < buckets.size() && buckets[b].second < rank) ++b;
  if (b + 1 == buckets.size()) return buckets[b - 1].first;
  if (b == 0 && buckets[0].first <= 0) return buckets[0].first;
  double start = b > 0 ? buckets[b - 1].first : 0, below = b > 0 ? buckets[b - 1].second : 0;
  return start + (buckets[b].first - start) * ((rank - below) / (buckets[b].second - below));
}

}  // namespace

JudgeMatrix Judge::EvalCall(const Call& call, const Grid& grid) {
  const std::string name(call.function->name);
  if (name == "label_replace" || name == "label_join") return EvalLabels(call, grid);
  if (name == "timestamp" && Bare(*call.args[0]).kind == NodeKind::kVectorSelector) {
    JudgeMatrix in = EvalSelector(static_cast<const VectorSelector&>(Bare(*call.args[0])), grid, true);
    JudgeMatrix out;
    for (JudgeSeries& s : in) {
      if (!options_.delayed_name_removal) s.labels = WithoutMetadata(s.labels);
      s.drop_name = true;
      out.push_back(std::move(s));
    }
    return options_.delayed_name_removal ? out : Merge(std::move(out));
  }
  std::vector<const Expr*> args;
  for (const ExprPtr& arg : call.args) args.push_back(arg.get());
  return StepByStep(args, grid, [&](std::vector<Vector>& in, int64_t t) -> Vector {
    auto scalar = [&](double v) { return Vector{{Labels(), v, false, t}}; };
    auto each = [&](const Vector& samples, const std::function<double(double)>& fn) {
      Vector out;
      for (Sample s : samples) {
        if (s.value.h != nullptr) continue;
        Drop(&s);
        s.value = fn(s.value.f);
        out.push_back(std::move(s));
      }
      return out;
    };
    auto native = [&](const Vector& samples, const std::function<double(const JudgeHistogram&)>& fn) {
      Vector out;
      for (Sample s : samples) {
        if (s.value.h == nullptr) continue;
        Drop(&s);
        s.value = fn(*s.value.h);
        out.push_back(std::move(s));
      }
      return out;
    };
    if (name == "time") return scalar(static_cast<double>(t) / 1000);
    if (name == "pi") return scalar(M_PI);
    if (name == "vector") return scalar(in[0][0].value.f);
    if (name == "scalar") {
      std::erase_if(in[0], [](const Sample& s) { return s.value.h != nullptr; });
      return scalar(in[0].size() == 1 ? in[0][0].value.f : kNaN);
    }
    if (name == "histogram_count") return native(in[0], [](const JudgeHistogram& h) { return h.count; });
    if (name == "histogram_sum") return native(in[0], [](const JudgeHistogram& h) { return h.sum; });
    if (name == "histogram_avg") return native(in[0], [](const JudgeHistogram& h) { return h.sum / h.count; });
    if (name == "histogram_stdvar") return native(in[0], VarianceJudged);
    if (name == "histogram_stddev") {
      return native(in[0], [](const JudgeHistogram& h) { return std::sqrt(VarianceJudged(h)); });
    }
    if (name == "absent") {
      if (!in[0].empty()) return {};
      LabelsBuilder builder;
      const Expr& arg = Bare(*call.args[0]);
      if (arg.kind == NodeKind::kVectorSelector) {
        std::map<std::string, int> times;
        const Matchers& matchers = static_cast<const VectorSelector&>(arg).matchers;
        for (const Matcher& m : matchers) ++times[m.name()];
        for (const Matcher& m : matchers) {
          if (m.name() != "__name__" && m.type() == MatchType::kEqual && times[m.name()] == 1) {
            builder.Set(m.name(), m.value());
          }
        }
      }
      return Vector{{builder.Build(), 1, false, t}};
    }
    if (name == "sort" || name == "sort_desc") {  // order is not judged
      std::erase_if(in[0], [](const Sample& s) { return s.value.h != nullptr; });
      return in[0];
    }
    if (name == "abs") return each(in[0], [](double v) { return std::fabs(v); });
    if (name == "ceil") return each(in[0], [](double v) { return std::ceil(v); });
    if (name == "floor") return each(in[0], [](double v) { return std::floor(v); });
    if (name == "sqrt") return each(in[0], [](double v) { return std::sqrt(v); });
    if (name == "exp") return each(in[0], [](double v) { return GoExp(v); });
    if (name == "ln") return each(in[0], [](double v) { return GoLog(v); });
    if (name == "sgn") return each(in[0], [](double v) { return v > 0 ? 1.0 : v < 0 ? -1.0 : v; });
    if (name == "timestamp") {
      for (Sample& s : in[0]) s.value = 0.0;
      return each(in[0], [t](double) { return static_cast<double>(t) / 1000; });
    }
    if (name == "round") {
      double inverse = 1.0 / (in.size() > 1 ? in[1][0].value.f : 1.0);
      return each(in[0], [&](double v) { return std::floor(v * inverse + 0.5) / inverse; });
    }
    if (name.starts_with("clamp")) {
      double low = name == "clamp_max" ? -kInf : in[1][0].value.f;
      double high = name == "clamp_min" ? kInf : in[name == "clamp" ? 2 : 1][0].value.f;
      if (high < low) return {};
      return each(in[0], [&](double v) {
        if (std::isnan(v) || std::isnan(low) || std::isnan(high)) {
          // As Go's Min and Max: an infinite bound wins.
          if (low == kInf) return kInf;
          double inner = high == -kInf || v == -kInf         ? -kInf
                         : std::isnan(v) || std::isnan(high) ? kNaN
                                                             : std::min(high, v);
          return std::isnan(low) || std::isnan(inner) ? kNaN : std::max(low, inner);
        }
        return std::max(low, std::min(high, v));
      });
    }
    if (name == "histogram_quantile") {
      const double q = in[0][0].value.f;
      return Estimate(
          in[1], [q](auto buckets) { return ClassicQuantile(q, std::move(buckets)); },
          [q](const JudgeHistogram& h) { return QuantileJudged(q, h); });
    }
    if (name == "histogram_fraction") {
      // Of native histograms: classic ones are not asked for it.
      const double lower = in[0][0].value.f, upper = in[1][0].value.f;
      return Estimate(
          in[2], [](const auto&) { return kNaN; },
          [=](const JudgeHistogram& h) { return FractionJudged(lower, upper, h); });
    }
    Fail("the judge does not know " + name);
    return {};
  });
}

Judge::Vector Judge::Estimate(const Vector& in,
                              const std::function<double(std::vector<std::pair<double, double>>)>& classic,
                              const std::function<double(const JudgeHistogram&)>& native) {
  std::map<Labels, std::map<double, double>> histograms;
  std::vector<Labels> order;
  for (const Sample& s : in) {
    Result<double> le = ParseFloat(s.labels.Get("le"));
    if (!le.ok() || s.value.h != nullptr) continue;
    LabelsBuilder builder(s.labels);
    Labels key = builder.Del("le").Build();
    if (!histograms.contains(key)) order.push_back(key);
    histograms[key][*le] += s.value.f;
  }
  Vector out;
  auto add = [&](Labels labels, double v) {
    Sample s{std::move(labels), v, false, 0};
    Drop(&s);
    out.push_back(std::move(s));
  };
  std::set<Labels> both;
  for (const Sample& s : in) {
    if (s.value.h == nullptr) continue;
    if (histograms.contains(s.labels)) {
      both.insert(s.labels);
    } else {
      add(s.labels, native(*s.value.h));
    }
  }
  for (const Labels& key : order) {
    if (!both.contains(key)) add(key, classic({histograms[key].begin(), histograms[key].end()}));
  }
  return out;
}

}  // namespace gauntlet::promql
