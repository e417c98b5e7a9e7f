#include "promql/engine/testing/judge.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <utility>

#include "base/float_limits.h"
#include "model/float_text.h"
#include "model/go/math.h"
#include "model/regex/regex.h"
#include "promql/syntax/function_table.h"

namespace gauntlet::promql {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

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

Labels Judge::AbsentLabels(const Matchers& matchers) {
  LabelsBuilder builder;
  std::map<std::string, int> times;
  for (const Matcher& m : matchers) ++times[m.name()];
  for (const Matcher& m : matchers) {
    if (m.name() != "__name__" && m.type() == MatchType::kEqual && times[m.name()] == 1) {
      builder.Set(m.name(), m.value());
    }
  }
  return builder.Build();
}

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
      const Expr& arg = Bare(*call.args[0]);
      const bool selects = arg.kind == NodeKind::kVectorSelector;
      Labels labels = selects ? AbsentLabels(static_cast<const VectorSelector&>(arg).matchers) : Labels();
      return Vector{{std::move(labels), 1, false, t}};
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
