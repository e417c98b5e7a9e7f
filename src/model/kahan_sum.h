// KahanAdd: floats added with a second number that keeps what the first one loses.
//
// Upstream: prometheus util/kahansum
// Threads:  functions on the caller's numbers.

#pragma once

#include <cmath>

namespace gauntlet {

// Adds `inc` to a sum with its compensation (Neumaier's variant of Kahan's). The true sum is near sum + c.
inline void KahanAdd(double inc, double& sum, double& c) {
  double t = sum + inc;
  double lost = std::fabs(sum) >= std::fabs(inc) ? (sum - t) + inc : (inc - t) + sum;
  c = std::isinf(t) ? 0.0 : c + lost;
  sum = t;
}

}  // namespace gauntlet
