#include <algorithm>
#include <cmath>
#include <limits>

#include "base/float_limits.h"
#include "model/float_text.h"
#include "promql/engine/testing/judge.h"
#include "promql/engine/testing/judge_math.h"

namespace gauntlet::promql {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

}  // namespace

Labels Judge::GroupLabels(const Labels& labels, const std::vector<std::string>& names, bool keep) const {
  LabelsBuilder builder(labels);
  if (keep) {
    builder.Keep(names);
  } else {
    for (const std::string& name : names) builder.Del(name);
    builder.Del("__name__");
  }
  return builder.Build();
}

Judge::Vector Judge::TopK(const AggregateExpr& aggregate, const Vector& in, double k, size_t series) {
  if (k < 1 || series == 0) return {};
  const bool top = aggregate.op == AggregateOp::kTopK;
  auto worse = [top](const Sample& a, const Sample& b) {
    return std::isnan(a.value.f) || (top ? a.value.f < b.value.f : a.value.f > b.value.f);
  };
  std::map<Labels, Vector> heaps;
  for (const Sample& s : in) {
    if (s.value.h != nullptr) continue;
    Vector& heap = heaps[GroupLabels(s.labels, aggregate.grouping, !aggregate.without)];
    if (heap.size() < static_cast<size_t>(std::min(k, 1e6))) {
      heap.push_back(s);
      for (size_t j = heap.size() - 1; j > 0 && worse(heap[j], heap[(j - 1) / 2]); j = (j - 1) / 2) {
        std::swap(heap[j], heap[(j - 1) / 2]);
      }
      continue;
    }
    bool better = top ? heap[0].value.f < s.value.f : heap[0].value.f > s.value.f;
    if (!better && !(std::isnan(heap[0].value.f) && !std::isnan(s.value.f))) continue;
    heap[0] = s;
    for (size_t i = 0, j; (j = 2 * i + 1) < heap.size(); i = j) {
      if (j + 1 < heap.size() && worse(heap[j + 1], heap[j])) ++j;
      if (!worse(heap[j], heap[i])) break;
      std::swap(heap[i], heap[j]);
    }
  }
  Vector out;
  for (auto& [group, heap] : heaps) out.insert(out.end(), heap.begin(), heap.end());
  return out;
}

JudgeMatrix Judge::EvalAggregate(const AggregateExpr& aggregate, const Grid& grid) {
  JudgeMatrix param;
  if (aggregate.param != nullptr && aggregate.param->type() == ValueType::kScalar) {
    param = Eval(*aggregate.param, grid);
  }
  JudgeMatrix input = Eval(*aggregate.expr, grid);
  if (!error_.empty()) return {};
  const bool picks = aggregate.op == AggregateOp::kTopK || aggregate.op == AggregateOp::kBottomK;
  if (picks) {
    double largest = -kInf, smallest = kInf;
    bool nan = false;
    for (const auto& [t, v] : param[0].points) {
      largest = std::max(largest, v.f);
      smallest = std::min(smallest, v.f);
      nan = nan || std::isnan(v.f);
    }
    if (nan) Fail("Parameter value is NaN");
    if (largest < 1) return {};
    if (largest >= 9223372036854774784.0) Fail("Scalar value " + FormatFloatG(largest) + " overflows int64");
    if (smallest <= -9223372036854775808.0) Fail("Scalar value " + FormatFloatG(smallest) + " underflows int64");
  }
  JudgeMatrix out;
  for (int64_t t = grid.start; t <= grid.end && error_.empty(); t += grid.step) {
    Vector in;
    for (const JudgeSeries& s : input) {
      auto at = s.points.find(t);
      if (at != s.points.end()) in.push_back({s.labels, at->second, s.drop_name, t});
    }
    double p = param.empty() ? 0 : param[0].points.at(t).f;
    Vector made;
    if (picks) {
      made = TopK(aggregate, in, p, input.size());
    } else {
      std::vector<Labels> order;
      std::map<Labels, std::pair<std::vector<JudgeValue>, bool>> groups;
      const bool floats_only = aggregate.op == AggregateOp::kMin || aggregate.op == AggregateOp::kMax ||
                               aggregate.op == AggregateOp::kStddev || aggregate.op == AggregateOp::kStdvar ||
                               aggregate.op == AggregateOp::kQuantile;
      for (const Sample& s : in) {
        if (floats_only && s.value.h != nullptr) continue;
        Labels labels = s.labels;
        std::vector<std::string> names = aggregate.grouping;
        if (aggregate.op == AggregateOp::kCountValues) {
          std::string label = static_cast<const StringLiteral&>(Bare(*aggregate.param)).value;
          LabelsBuilder builder(labels);
          labels =
              builder.Set(label, s.value.h != nullptr ? HistogramString(s.value.h->ToModel()) : FormatFloatF(s.value.f))
                  .Build();
          if (!aggregate.without) names.push_back(label);
        }
        Labels group = GroupLabels(labels, names, !aggregate.without);
        if (!groups.contains(group)) order.push_back(group);
        groups[group].first.push_back(s.value);
        groups[group].second = groups[group].second || s.drop_name;
      }
      for (const Labels& group : order) {
        const std::vector<JudgeValue>& values = groups[group].first;
        const bool adds = aggregate.op == AggregateOp::kSum || aggregate.op == AggregateOp::kAvg;
        if (adds && std::any_of(values.begin(), values.end(), [](const JudgeValue& x) { return x.h != nullptr; })) {
          auto total = TotalJudged(values, aggregate.op == AggregateOp::kAvg);
          if (total) made.push_back({group, Compacted(*total->h), groups[group].second, t});
          continue;
        }
        std::vector<double> v;
        for (const JudgeValue& x : values) v.push_back(x.f);
        double result = 0;
        switch (aggregate.op) {
          case AggregateOp::kSum: {
            KahanSum sum{v[0], 0};
            for (size_t i = 1; i < v.size(); ++i) sum.Add(v[i]);
            result = sum.sum + sum.c;
            break;
          }
          case AggregateOp::kAvg:
            result = Mean(v);
            break;
          case AggregateOp::kMin:
          case AggregateOp::kMax:
            result = v[0];
            for (double x : v) {
              if (std::isnan(result) || (aggregate.op == AggregateOp::kMax ? x > result : x < result)) result = x;
            }
            break;
          case AggregateOp::kCount:
          case AggregateOp::kCountValues:
            result = static_cast<double>(v.size());
            break;
          case AggregateOp::kGroup:
            result = 1;
            break;
          case AggregateOp::kQuantile:
            result = ByOrder(p, v);
            break;
          default: {
            double mean = v[0], squares = std::isfinite(v[0]) ? 0 : kNaN, count = 1;
            for (size_t i = 1; i < v.size(); ++i) {
              ++count;
              double delta = v[i] - mean;
              mean += delta / count;
              squares += delta * (v[i] - mean);
            }
            result = squares / count;
            if (aggregate.op == AggregateOp::kStddev) result = std::sqrt(result);
          }
        }
        bool drop = aggregate.op != AggregateOp::kCountValues && groups[group].second;
        made.push_back({group, result, drop, t});
      }
    }
    for (const Sample& s : made) {
      auto same = std::find_if(out.begin(), out.end(), [&](const JudgeSeries& o) { return o.labels == s.labels; });
      if (same == out.end()) {
        out.push_back({s.labels, s.drop_name, {}});
        same = out.end() - 1;
      }
      if (!picks) same->drop_name = s.drop_name;
      same->points[t] = s.value;
    }
  }
  return out;
}

}  // namespace gauntlet::promql
