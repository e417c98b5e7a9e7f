#include "promql/exec/range/time_walk.h"

#include "promql/exec/rows/simd.h"

namespace gauntlet::promql {
namespace {

// Eight steps side by side.
struct Walks {
  static constexpr uint32_t kWidth = 8;
  int32_t interval, step_whole, step_rest, end;  // of eight steps at once
  int32_t whole[kWidth], rest[kWidth];
};

GN_WIDE_VECTORS void CountAll(Walks* walks, uint32_t rounds, uint32_t* out) {
  Walks w = *walks;
  for (uint32_t round = 0; round < rounds; ++round, out += Walks::kWidth) {
    for (uint32_t i = 0; i < Walks::kWidth; ++i) {
      const int32_t count = w.whole[i] < w.end ? w.whole[i] : w.end;
      out[i] = static_cast<uint32_t>(count > 0 ? count : 0);
      const int32_t rest = w.rest[i] + w.step_rest;
      const int32_t carry = rest >= w.interval ? 1 : 0;
      w.rest[i] = carry ? rest - w.interval : rest;
      w.whole[i] += w.step_whole + carry;
    }
  }
}

}  // namespace

RegularWalk::RegularWalk(const int64_t* times, uint32_t count, int64_t limit, int64_t step_ms)
    : interval_(times[1] - times[0]), step_whole_(step_ms / interval_), step_rest_(step_ms % interval_), end_(count) {
  const int64_t from_first = limit - times[0];
  whole_ = from_first / interval_;
  rest_ = from_first % interval_;
  if (rest_ < 0) {
    rest_ += interval_;
    --whole_;
  }
  ++whole_;
}

void RegularWalk::Count(uint32_t steps, uint32_t* out) {
  constexpr uint32_t kWidth = Walks::kWidth;
  constexpr int64_t kFar = int64_t{1} << 29;
  const bool near =
      whole_ > -kFar && whole_ < kFar && interval_ < kFar && step_whole_ < kFar / (int64_t{steps} + kWidth);
  if (near && steps >= 2 * kWidth) {
    Walks walks;
    walks.interval = static_cast<int32_t>(interval_);
    walks.step_whole = static_cast<int32_t>(kWidth * step_whole_ + kWidth * step_rest_ / interval_);
    walks.step_rest = static_cast<int32_t>(kWidth * step_rest_ % interval_);
    walks.end = static_cast<int32_t>(std::min(end_, 2 * kFar));
    for (uint32_t i = 0; i < kWidth; ++i, Move()) {
      walks.whole[i] = static_cast<int32_t>(whole_);
      walks.rest[i] = static_cast<int32_t>(rest_);
    }
    const uint32_t rounds = steps / kWidth;
    CountAll(&walks, rounds, out);
    out += kWidth * rounds;
    steps -= kWidth * rounds;
    // The first of the eight has already moved on by one round.
    const int64_t moved = int64_t{kWidth} * (rounds - 1);
    const int64_t rest = rest_ + moved * step_rest_;
    whole_ += moved * step_whole_ + rest / interval_;
    rest_ = rest % interval_;
  }
  for (uint32_t i = 0; i < steps; ++i, Move()) out[i] = static_cast<uint32_t>(std::clamp<int64_t>(whole_, 0, end_));
}

}  // namespace gauntlet::promql
