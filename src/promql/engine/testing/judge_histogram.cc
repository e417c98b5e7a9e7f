#include "promql/engine/testing/judge_histogram.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "model/histogram_arithmetic.h"
#include "model/histogram_buckets.h"

namespace gauntlet::promql {
namespace {

using Counts = std::map<int32_t, double>;

double Upper(int32_t index, const JudgeHistogram& h) { return BucketBound(index, h.schema, h.bounds); }

Counts FromSide(const std::vector<HistogramSpan>& spans, const std::vector<double>& buckets) {
  Counts out;
  int32_t index = 0;
  size_t next = 0;
  for (const HistogramSpan& span : spans) {
    index += span.offset;
    for (uint32_t i = 0; i < span.length; ++i) out[index++] = buckets[next++];
  }
  return out;
}

void ToSide(const Counts& counts, std::vector<HistogramSpan>* spans, std::vector<double>* buckets) {
  int32_t next = 0;
  for (const auto& [index, count] : counts) {
    if (count == 0) continue;
    if (spans->empty() || index != next) spans->push_back({index - next, 0});
    ++spans->back().length;
    buckets->push_back(count);
    next = index + 1;
  }
}

Counts Coarser(const Counts& counts, int32_t from, int32_t to) {
  Counts out;
  for (const auto& [index, count] : counts) out[CoarserIndex(index, from, to)] += count;
  return out;
}

// A populated bucket that the threshold would cut moves it outward.
double MoveOut(double threshold, const JudgeHistogram& h) {
  for (const Counts* side : {&h.positive, &h.negative}) {
    for (const auto& [index, count] : *side) {
      if (count != 0 && Upper(index - 1, h) < threshold && Upper(index, h) > threshold) threshold = Upper(index, h);
    }
  }
  return threshold;
}

void Widen(JudgeHistogram* h, double threshold) {
  if (h->zero_threshold == threshold) return;
  h->zero_threshold = threshold;
  for (Counts* side : {&h->positive, &h->negative}) {
    std::erase_if(*side, [&](const auto& bucket) {
      bool inside = Upper(bucket.first - 1, *h) < threshold;
      if (inside) h->zero_count += bucket.second;
      return inside;
    });
  }
}

// The counts in the buckets between bounds that are among those of `h`.
Counts Rebound(const JudgeHistogram& h, const std::vector<double>& bounds) {
  Counts out;
  for (const auto& [index, count] : h.positive) {
    auto at = std::lower_bound(bounds.begin(), bounds.end(), Upper(index, h));
    out[static_cast<int32_t>(at - bounds.begin())] += count;
  }
  return out;
}

std::vector<double> Common(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> out;
  for (double bound : a) {
    if (std::find(b.begin(), b.end(), bound) != b.end()) out.push_back(bound);
  }
  return out;
}

void AddCounts(Counts* to, const Counts& counts, double sign) {
  for (const auto& [index, count] : counts) (*to)[index] += sign * count;
}

std::optional<JudgeHistogram> Increase(const JudgeWindow& w, bool counter) {
  JudgeHistogram first = *w.front().second.h;
  const JudgeHistogram& last = *w.back().second.h;
  const bool reset_at_second = counter && WasReset(*w[1].second.h, first);
  if (reset_at_second) {
    first = JudgeHistogram();
    first.schema = w[1].second.h->schema;
    first.bounds = w[1].second.h->bounds;
  }
  JudgeHistogram end = last;
  int32_t schema = std::min(last.schema, first.schema);
  for (size_t i = 1; counter && i + 1 < w.size(); ++i) {
    if (w[i].second.h->custom() != first.custom()) return std::nullopt;
    schema = std::min(schema, w[i].second.h->schema);
  }
  if (last.custom() != first.custom()) return std::nullopt;
  if (!end.custom()) {
    end.positive = Coarser(end.positive, end.schema, schema);
    end.negative = Coarser(end.negative, end.schema, schema);
    end.schema = schema;
  }
  auto sum = AddJudged(end, first, -1);
  if (!sum) return std::nullopt;
  for (size_t i = 1; counter && i < w.size(); ++i) {
    const bool from_nothing = i == 1 && reset_at_second;
    if (!from_nothing && WasReset(*w[i].second.h, *w[i - 1].second.h)) sum = AddJudged(*sum, *w[i - 1].second.h, 1);
    if (from_nothing && WasReset(*w[1].second.h, first)) sum = AddJudged(*sum, first, 1);
    if (!sum) return std::nullopt;
  }
  return sum;
}

std::optional<JudgeValue> Rate(const std::string& name, const JudgeWindow& w, int64_t range_start, int64_t range_end) {
  const size_t n = w.size();
  if (n < 2) return std::nullopt;
  for (const auto& [t, v] : w) {
    if (v.h == nullptr) return std::nullopt;
  }
  auto sum = Increase(w, name != "delta");
  if (!sum) return std::nullopt;
  double to_start = static_cast<double>(w[0].first - range_start) / 1000;
  double to_end = static_cast<double>(range_end - w[n - 1].first) / 1000;
  double sampled = static_cast<double>(w[n - 1].first - w[0].first) / 1000;
  double average = sampled / static_cast<double>(n - 1), limit = average * 1.1;
  if (to_start >= limit) to_start = average / 2;
  if (name != "delta" && sum->count > 0 && w[0].second.h->count >= 0) {
    to_start = std::min(to_start, sampled * (w[0].second.h->count / sum->count));
  }
  if (to_end >= limit) to_end = average / 2;
  double factor = (sampled + to_start + to_end) / sampled;
  if (name == "rate") factor /= static_cast<double>(range_end - range_start) / 1000;
  sum->hint = ResetHint::kGauge;
  return ScaleJudged(Compacted(*std::move(sum)), factor);
}

std::optional<JudgeValue> InstantRate(const std::string& name, const JudgeWindow& w) {
  if (w.size() < 2) return std::nullopt;
  const auto& [before_t, before] = w[w.size() - 2];
  const auto& [now_t, now] = w.back();
  if (before.h == nullptr || now.h == nullptr) return std::nullopt;
  JudgeHistogram h = *now.h;
  if (name == "idelta" || !WasReset(h, *before.h)) {
    auto difference = AddJudged(h, *before.h, -1);
    if (!difference) return std::nullopt;
    h = *std::move(difference);
  }
  h.hint = ResetHint::kGauge;
  h = Compacted(std::move(h));
  return name == "irate" ? DivideJudged(std::move(h), static_cast<double>(now_t - before_t) / 1000) : h;
}

bool Near(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return a == b || std::fabs(a - b) <= 1e-11 * std::max({1.0, std::fabs(a), std::fabs(b)});
}

bool NearCounts(const Counts& a, const Counts& b) {
  std::set<int32_t> indexes;
  for (const auto& bucket : a) indexes.insert(bucket.first);
  for (const auto& bucket : b) indexes.insert(bucket.first);
  auto at = [](const Counts& counts, int32_t i) {
    auto found = counts.find(i);
    return found == counts.end() ? 0.0 : found->second;
  };
  return std::all_of(indexes.begin(), indexes.end(), [&](int32_t i) { return Near(at(a, i), at(b, i)); });
}

}  // namespace

JudgeHistogram::JudgeHistogram(const Histogram& h)
    : hint(h.reset_hint),
      schema(h.schema),
      zero_threshold(h.zero_threshold),
      zero_count(h.zero_count),
      count(h.count),
      sum(h.sum),
      positive(FromSide(h.positive_spans, h.positive_buckets)),
      negative(FromSide(h.negative_spans, h.negative_buckets)),
      bounds(h.custom_values) {}

Histogram JudgeHistogram::ToModel() const {
  Histogram h;
  h.reset_hint = hint;
  h.schema = schema;
  h.zero_threshold = zero_threshold;
  h.zero_count = zero_count;
  h.count = count;
  h.sum = sum;
  ToSide(positive, &h.positive_spans, &h.positive_buckets);
  ToSide(negative, &h.negative_spans, &h.negative_buckets);
  h.custom_values = bounds;
  return h;
}

std::string JudgeValue::ToString() const {
  return h != nullptr ? HistogramExpression(h->ToModel()) : fmt::format("{}", f);
}

bool SameJudgeValue(const JudgeValue& a, const JudgeValue& b) {
  if (a.h == nullptr || b.h == nullptr) return a.h == b.h && Near(a.f, b.f);
  return a.h->hint == b.h->hint && a.h->schema == b.h->schema && a.h->bounds == b.h->bounds &&
         a.h->zero_threshold == b.h->zero_threshold && Near(a.h->zero_count, b.h->zero_count) &&
         Near(a.h->count, b.h->count) && Near(a.h->sum, b.h->sum) && NearCounts(a.h->positive, b.h->positive) &&
         NearCounts(a.h->negative, b.h->negative);
}

std::optional<JudgeHistogram> AddJudged(const JudgeHistogram& left, const JudgeHistogram& right, double sign) {
  if (left.custom() != right.custom()) return std::nullopt;
  JudgeHistogram a = left, b = right;
  if (a.hint != b.hint) {
    const bool gauge = a.hint == ResetHint::kGauge || b.hint == ResetHint::kGauge;
    a.hint = gauge ? ResetHint::kGauge : ResetHint::kUnknown;
  }
  if (a.custom()) {
    if (a.bounds != b.bounds) {
      std::vector<double> common = Common(a.bounds, b.bounds);
      a.positive = Rebound(a, common);
      b.positive = Rebound(b, common);
      a.bounds = common;
    }
  } else {
    double threshold = std::max(a.zero_threshold, b.zero_threshold);
    for (double before = -1; before != threshold;) {
      before = threshold;
      threshold = MoveOut(MoveOut(threshold, a), b);
    }
    Widen(&a, threshold);
    Widen(&b, threshold);
    const int32_t schema = std::min(a.schema, b.schema);
    for (JudgeHistogram* h : {&a, &b}) {
      h->positive = Coarser(h->positive, h->schema, schema);
      h->negative = Coarser(h->negative, h->schema, schema);
      h->schema = schema;
    }
  }
  a.zero_count += sign * b.zero_count;
  a.count += sign * b.count;
  a.sum += sign * b.sum;
  AddCounts(&a.positive, b.positive, sign);
  AddCounts(&a.negative, b.negative, sign);
  return a;
}

JudgeHistogram Compacted(JudgeHistogram h) {
  std::erase_if(h.positive, [](const auto& bucket) { return bucket.second == 0; });
  std::erase_if(h.negative, [](const auto& bucket) { return bucket.second == 0; });
  return h;
}

JudgeHistogram ScaleJudged(JudgeHistogram h, double factor) {
  h.zero_count = (h.custom() ? 0 : h.zero_count) * factor;
  h.count *= factor;
  h.sum *= factor;
  for (auto& bucket : h.positive) bucket.second *= factor;
  for (auto& bucket : h.negative) bucket.second *= factor;
  if (factor < 0) h.hint = ResetHint::kGauge;
  return h;
}

JudgeHistogram DivideJudged(JudgeHistogram h, double divisor) {
  if (divisor == 0) {
    h.positive.clear();
    h.negative.clear();
  }
  h.zero_count = (h.custom() ? 0 : h.zero_count) / divisor;
  h.count /= divisor;
  h.sum /= divisor;
  for (auto& bucket : h.positive) bucket.second /= divisor;
  for (auto& bucket : h.negative) bucket.second /= divisor;
  if (divisor < 0) h.hint = ResetHint::kGauge;
  return h;
}

bool WasReset(const JudgeHistogram& now, const JudgeHistogram& before) {
  if (now.hint == ResetHint::kReset) return true;
  if (now.hint == ResetHint::kNotReset) return false;
  if (now.count < before.count) return true;
  if (now.custom()) {
    if (!before.custom()) return true;
    const std::vector<double> common = Common(now.bounds, before.bounds);
    const Counts a = Rebound(now, common), b = Rebound(before, common);
    if (now.bounds == before.bounds) {
      // One that is gone was a loss, whatever it held.
      for (const auto& [index, count] : b) {
        if (count != 0 && !a.contains(index)) return true;
      }
    }
    for (int32_t i = 0; i <= static_cast<int32_t>(common.size()); ++i) {
      if ((a.contains(i) ? a.at(i) : 0) < (b.contains(i) ? b.at(i) : 0)) return true;
    }
    return false;
  }
  if (now.schema > before.schema || now.zero_threshold < before.zero_threshold) return true;
  JudgeHistogram old = before;
  if (MoveOut(now.zero_threshold, old) != now.zero_threshold) return true;
  Widen(&old, now.zero_threshold);
  if (now.zero_count < old.zero_count) return true;
  auto fell = [&](const Counts& a, const Counts& b) {
    for (const auto& [index, count] : Coarser(b, old.schema, now.schema)) {
      if (a.contains(index) ? a.at(index) < count : count != 0) return true;
    }
    return false;
  };
  return fell(now.positive, old.positive) || fell(now.negative, old.negative);
}

std::optional<JudgeValue> CombineJudged(BinaryOp op, const JudgeValue& a, const JudgeValue& b, bool* keep) {
  *keep = true;
  const bool left = a.h != nullptr, right = b.h != nullptr;
  if (left && right && (op == BinaryOp::kAdd || op == BinaryOp::kSub)) {
    auto clear = [](ResetHint h) { return h == ResetHint::kReset || h == ResetHint::kNotReset; };
    if (clear(a.h->hint) && clear(b.h->hint) && a.h->hint != b.h->hint) return std::nullopt;
    auto sum = AddJudged(*a.h, *b.h, op == BinaryOp::kAdd ? 1 : -1);
    if (!sum) return std::nullopt;
    if (op == BinaryOp::kSub) sum->hint = ResetHint::kGauge;
    return Compacted(*std::move(sum));
  }
  if (left && right && (op == BinaryOp::kEqual || op == BinaryOp::kNotEqual)) {
    *keep = SameHistogram(a.h->ToModel(), b.h->ToModel()) == (op == BinaryOp::kEqual);
    return a;
  }
  if (left != right && op == BinaryOp::kMul) return Compacted(ScaleJudged(left ? *a.h : *b.h, left ? b.f : a.f));
  if (!left || right) return std::nullopt;
  if (op == BinaryOp::kDiv) return Compacted(DivideJudged(*a.h, b.f));
  if (op == BinaryOp::kTrimLower || op == BinaryOp::kTrimUpper) {
    // Its many cases are judged by tables and recorded answers; here only that it is applied.
    Histogram h = a.h->ToModel();
    TrimHistogram(h, b.f, op == BinaryOp::kTrimUpper ? TrimSide::kAbove : TrimSide::kBelow);
    return JudgeHistogram(h);
  }
  return std::nullopt;
}

std::optional<JudgeValue> TotalJudged(const std::vector<JudgeValue>& values, bool average) {
  if (values[0].h == nullptr) return std::nullopt;
  JudgeHistogram sum = *values[0].h;
  for (size_t i = 1; i < values.size(); ++i) {
    if (values[i].h == nullptr) return std::nullopt;
    auto next = AddJudged(sum, *values[i].h, 1);
    if (!next) return std::nullopt;
    sum = *std::move(next);
  }
  if (!average) return sum;
  return DivideJudged(std::move(sum), static_cast<double>(values.size()));
}

std::optional<JudgeValue> RangeJudged(const std::string& name, const JudgeWindow& w, int64_t range_start,
                                      int64_t range_end) {
  if (name == "rate" || name == "increase" || name == "delta") return Rate(name, w, range_start, range_end);
  if (name == "irate" || name == "idelta") return InstantRate(name, w);
  if (name == "last_over_time") return w.back().second;
  if (name == "first_over_time") return w.front().second;
  if (name == "count_over_time") return static_cast<double>(w.size());
  if (name == "present_over_time" || name == "absent_over_time") return 1.0;
  if (name == "sum_over_time" || name == "avg_over_time") {
    std::vector<JudgeValue> values;
    for (const auto& [t, v] : w) values.push_back(v);
    return TotalJudged(values, name == "avg_over_time");
  }
  int count = 0;  // changes, resets
  for (size_t i = 1; i < w.size(); ++i) {
    const JudgeValue &now = w[i].second, &before = w[i - 1].second;
    if ((now.h == nullptr) != (before.h == nullptr)) {
      ++count;
    } else if (now.h == nullptr) {
      const bool both_nan = std::isnan(now.f) && std::isnan(before.f);
      count += name == "changes" ? now.f != before.f && !both_nan : now.f < before.f;
    } else {
      count += name == "changes" ? !SameHistogram(now.h->ToModel(), before.h->ToModel()) : WasReset(*now.h, *before.h);
    }
  }
  return static_cast<double>(count);
}

}  // namespace gauntlet::promql
