#include "promql/engine/testing/judge.h"

#include <algorithm>
#include <utility>

#include "promql/syntax/function_table.h"

namespace gauntlet::promql {

Judge::Judge(const std::vector<std::pair<Labels, Samples>>& data, JudgeOptions options) : options_(options) {
  for (const auto& [labels, samples] : data) {
    auto& points = data_.emplace_back(labels, std::map<int64_t, JudgeValue>()).second;
    for (size_t i = 0; i < samples.size(); ++i) points[samples.times_ms[i]] = samples.values[i];
    for (const HistogramSample& h : samples.histograms) {
      points[samples.times_ms[h.position]] = JudgeHistogram(h.histogram);
    }
  }
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

const Expr& Judge::Bare(const Expr& e) {
  return e.kind == NodeKind::kParen ? Bare(*static_cast<const ParenExpr&>(e).expr) : e;
}

Labels Judge::WithoutMetadata(const Labels& labels) {
  LabelsBuilder builder(labels);
  builder.Del("__name__").Del("__type__").Del("__unit__");
  return builder.Build();
}

}  // namespace gauntlet::promql
