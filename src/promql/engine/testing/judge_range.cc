#include "promql/engine/testing/judge.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <utility>

#include "base/float_limits.h"
#include "promql/engine/testing/judge_math.h"
#include "promql/syntax/function_table.h"

namespace gauntlet::promql {

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
    int64_t first = Reference(*time, grid.start) - range_ms;
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
      int64_t end = Reference(*time, t), begin = end - range_ms;
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
    absent.labels = AbsentLabels(static_cast<const MatrixSelector&>(range).selector->matchers);
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

}  // namespace gauntlet::promql
