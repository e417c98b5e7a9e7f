// Arithmetic as Go has it, where C++ differs or the order of operations matters.
//
// Upstream: prometheus promql/quantile.go; Go math
// Threads:  functions.

#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "model/kahan_sum.h"

namespace gauntlet::promql {

// Go's math.Max and math.Min: an infinity wins over NaN, NaN over numbers, +0 is above -0.
inline double GoMax(double a, double b) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  if (a == kInf || b == kInf) return kInf;
  if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<double>::quiet_NaN();
  if (a == 0 && b == 0) return std::signbit(a) ? b : a;
  return a > b ? a : b;
}
inline double GoMin(double a, double b) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  if (a == -kInf || b == -kInf) return -kInf;
  if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<double>::quiet_NaN();
  if (a == 0 && b == 0) return std::signbit(a) ? a : b;
  return a < b ? a : b;
}

// The q-quantile by linear interpolation between the two nearest; NaN values count as the smallest. Reorders `values`.
double Quantile(double q, std::span<double> values);

// Whether a and b are the same within `epsilon` relative to their sum.
bool AlmostEqual(double a, double b, double epsilon);

}  // namespace gauntlet::promql
