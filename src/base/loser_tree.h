// LoserTree: finds the first of many sorted sources, and the next one after it moved on, in log2(n) comparisons.
//
// It knows only the numbers of the sources; `before(i, j)` tells whether what source i is at goes before what source j
// is at. An exhausted source goes after all others; equal ones should go by number, so that the order is fixed.
//
// Threads: one thread at a time.

#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace gauntlet {

class LoserTree {
 public:
  // REQUIRES: sources > 0; every source stands on its first item.
  template <typename Before>
  void Start(size_t sources, const Before& before) {
    losers_.assign(sources, 0);
    // winners[n] is the winner below node n; the leaves are sources .. 2 * sources - 1.
    std::vector<size_t> winners(2 * sources);
    for (size_t i = 0; i < sources; ++i) winners[sources + i] = i;
    for (size_t node = sources - 1; node > 0; --node) {
      size_t a = winners[2 * node], b = winners[2 * node + 1];
      if (before(b, a)) std::swap(a, b);
      winners[node] = a;
      losers_[node] = b;
    }
    winner_ = winners[1];
  }

  // The source that is first.
  size_t winner() const { return winner_; }

  // After the winner moved on: plays its matches again.
  template <typename Before>
  void Replay(const Before& before) {
    size_t best = winner_;
    for (size_t node = (winner_ + losers_.size()) / 2; node > 0; node /= 2) {
      if (before(losers_[node], best)) std::swap(losers_[node], best);
    }
    winner_ = best;
  }

 private:
  std::vector<size_t> losers_;  // of the match at each inner node; [0] unused
  size_t winner_ = 0;
};

}  // namespace gauntlet
