// Sliding folds: sums and the like over windows whose two ends only move forward, in the time of the samples, not of
// the windows; and nothing is ever subtracted.
//
// A moving boundary cuts each window in two. Of the part left of it the folds of all suffixes are kept, the part right
// of it is one fold that grows; when a window has left the boundary behind, the boundary moves to its end.
//
// Threads: one thread at a time.

#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "promql/exec/range/range_function.h"
#include "promql/exec/rows/math.h"

namespace gauntlet::promql {

// `Fold` has a type State (by default the fold of nothing), Begin(lo, hi) before the folds of a new left part,
// AddFront(State*, i) and AddBack(State*, i) for element i, and Join(left, right). It may have Whole(lo, hi): the fold
// of many elements, in less time than one after the other.
template <typename Fold>
class SlidingWindow {
 public:
  // No window begins after `last_lo`: suffixes that begin there need not be kept.
  explicit SlidingWindow(Fold* fold, uint32_t last_lo = std::numeric_limits<uint32_t>::max())
      : fold_(*fold), last_lo_(last_lo) {}

  // REQUIRES: lo < hi, neither less than before; lo is at most last_lo.
  typename Fold::State Over(uint32_t lo, uint32_t hi) {
    if (lo >= boundary_) {
      base_ = lo;
      boundary_ = right_end_ = hi;
      fold_.Begin(lo, hi);
      right_ = typename Fold::State();
      const uint32_t kept = hi - 1 <= last_lo_ ? hi : last_lo_ + 1;
      left_.resize(kept - lo);
      typename Fold::State state = Whole(kept, hi);
      for (uint32_t i = kept; i-- > lo;) {
        fold_.AddFront(&state, i);
        left_[i - base_] = state;
      }
    }
    for (; right_end_ < hi; ++right_end_) fold_.AddBack(&right_, right_end_);
    return fold_.Join(left_[lo - base_], right_);
  }

 private:
  typename Fold::State Whole(uint32_t lo, uint32_t hi) {
    if constexpr (requires { fold_.Whole(lo, hi); }) return fold_.Whole(lo, hi);
    typename Fold::State state;
    for (uint32_t i = hi; i-- > lo;) fold_.AddFront(&state, i);
    return state;
  }

  Fold& fold_;
  const uint32_t last_lo_;
  std::vector<typename Fold::State> left_;  // of [i, boundary), at i - base
  typename Fold::State right_;              // of [boundary, right_end)
  uint32_t base_ = 0, boundary_ = 0, right_end_ = 0;
};

// Whether windows overlap so much that sliding pays.
inline bool WorthSliding(const SeriesWindows& w) {
  uint64_t seen = 0;
  ForEachFloatWindow(w, [&](uint32_t, uint32_t lo, uint32_t hi) { seen += hi - lo; });
  return seen > 6 * (w.floats.size + w.steps());
}

// A sum with its compensation.
struct CompensatedSum {
  double sum = -0.0, c = 0;  // -0: neutral, also for -0
  void Add(double v) { KahanAdd(v, sum, c); }
  void Add(const CompensatedSum& other) {
    KahanAdd(other.sum, sum, c);
    c += other.c;
  }
  double value() const { return sum + c; }
};

// As KahanAdd, of values that are not risky: their sum is finite. What rounding took is found without asking which of
// the two is larger (Knuth's two-sum), to the same bits. T: a number, or several of them.
template <typename T>
[[gnu::always_inline]] inline void AddFinite(const T& inc, T* sum, T* c) {
  const T t = *sum + inc, added = t - *sum;
  *c += (*sum - (t - added)) + (inc - added);
  *sum = t;
}

// Adds up values that are not risky, in any order.
void AddAll(const double* values, uint32_t size, CompensatedSum* out);

// Of values that are not risky: no partial sum needs to be looked at.
struct SumFold {
  using State = CompensatedSum;
  const double* values;
  void Begin(uint32_t, uint32_t) {}
  void AddFront(State* s, uint32_t i) const { AddFinite(values[i], &s->sum, &s->c); }
  void AddBack(State* s, uint32_t i) const { AddFinite(values[i], &s->sum, &s->c); }
  State Whole(uint32_t lo, uint32_t hi) const {
    State all;
    AddAll(values + lo, hi - lo, &all);
    return all;
  }
  State Join(State left, const State& right) const {
    AddFinite(right.sum, &left.sum, &left.c);
    left.c += right.c;
    return left;
  }
};

// Whether one of the values is not finite, or at least `limit` away from 0.
bool AnyRisky(const double* values, size_t size, double limit);

// Values that are not to be folded in another order than upstream's: not finite, or at least `limit` (below 1e300 ten
// million of them cannot overflow a partial sum).
class RiskyValues {
 public:
  // Keeps to `counts`, when there are any.
  RiskyValues(const double* values, size_t size, double limit, std::vector<uint32_t>* counts)
      : counts_(*counts), any_(AnyRisky(values, size, limit)) {
    if (!any_) return;
    counts_.resize(size + 1);
    counts_[0] = 0;
    for (size_t i = 0; i < size; ++i) counts_[i + 1] = counts_[i] + !(std::fabs(values[i]) < limit);
  }
  bool Any(uint32_t lo, uint32_t hi) const { return any_ && counts_[hi] != counts_[lo]; }
  // Whether to slide: not over risky values, nor over so few that looking at them in upstream's order costs nothing.
  bool MaySlide(uint32_t lo, uint32_t hi, uint32_t few = 20) const { return hi - lo > few && !Any(lo, hi); }

 private:
  std::vector<uint32_t>& counts_;  // before each position
  const bool any_;
};

}  // namespace gauntlet::promql
