#include "promql/engine/testing/judge.h"

#include <memory>
#include <string_view>
#include <utility>

#include "model/stale.h"
#include "promql/syntax/function_table.h"
#include "promql/syntax/walk.h"

namespace gauntlet::promql {
namespace {

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
      if (!IsStaleNaN(bare.sum)) {
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

int64_t Judge::Reference(const TimeModifiers& time, int64_t t) const {
  if (time.at == AtModifier::kTimestamp) t = time.at_ms;
  if (time.at == AtModifier::kStart) t = query_start_;
  if (time.at == AtModifier::kEnd) t = query_end_;
  return t - time.offset_ms;
}

bool Judge::IsStale(const JudgeValue& v) { return IsStaleNaN(v.h != nullptr ? v.h->sum : v.f); }

std::map<int64_t, JudgeValue> Judge::Visible(size_t series, const VectorSelector& selector, const Grid& grid,
                                             int64_t window_ms) const {
  const auto& points = data_[series].second;
  if (!statistics_.contains(&selector)) return points;
  std::vector<int64_t> seeks;
  for (int64_t t = grid.start; t <= grid.end; t += grid.step) {
    seeks.push_back(Reference(selector.time, t));
  }
  // The storage gives no sample before the first window.
  auto first = points.upper_bound(seeks.front() - window_ms);
  return Statistics({first, points.end()}, seeks, window_ms);
}

JudgeMatrix Judge::EvalSelector(const VectorSelector& selector, const Grid& grid, bool timestamps) {
  JudgeMatrix out;
  for (size_t i = 0; i < data_.size(); ++i) {
    if (!MatchesAll(selector.matchers, data_[i].first)) continue;
    JudgeSeries series{data_[i].first, false, {}};
    const auto samples = Visible(i, selector, grid, options_.lookback_ms - 1);
    for (int64_t t = grid.start; t <= grid.end; t += grid.step) {
      int64_t reference = Reference(selector.time, t);
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

}  // namespace gauntlet::promql
