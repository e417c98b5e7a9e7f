// Sums, means and quantiles of the judge.
//
// Upstream: prometheus util/kahansum, promql/quantile.go
// Threads:  functions on values.

#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace gauntlet::promql {

inline double ByOrder(double q, std::vector<double> values) {
  if (values.empty() || std::isnan(q)) return std::numeric_limits<double>::quiet_NaN();
  if (q < 0) return -std::numeric_limits<double>::infinity();
  if (q > 1) return std::numeric_limits<double>::infinity();
  std::stable_sort(values.begin(), values.end(),
                   [](double a, double b) { return std::isnan(a) ? !std::isnan(b) : a < b; });
  double rank = q * static_cast<double>(values.size() - 1);
  size_t low = static_cast<size_t>(rank), high = std::min(low + 1, values.size() - 1);
  double weight = rank - std::floor(rank);
  return values[low] * (1 - weight) + values[high] * weight;
}

struct KahanSum {
  double sum = 0, c = 0;
  void Add(double v) {
    double t = sum + v;
    if (std::isinf(t)) {
      c = 0;
    } else if (std::fabs(sum) >= std::fabs(v)) {
      c += (sum - t) + v;
    } else {
      c += (v - t) + sum;
    }
    sum = t;
  }
};

inline double Mean(const std::vector<double>& values) {
  KahanSum sum{values[0], 0};
  double mean = 0, count = 1;
  bool incremental = false;
  for (size_t i = 1; i < values.size(); ++i) {
    count = static_cast<double>(i + 1);
    if (!incremental) {
      KahanSum next = sum;
      next.Add(values[i]);
      if (!std::isinf(next.sum)) {
        sum = next;
        continue;
      }
      incremental = true;
      mean = sum.sum / (count - 1);
      sum.c /= count - 1;
    }
    double q = (count - 1) / count;
    KahanSum step{q * mean, q * sum.c};
    step.Add(values[i] / count);
    mean = step.sum;
    sum.c = step.c;
  }
  return incremental ? mean + sum.c : sum.sum / count + sum.c / count;
}

}  // namespace gauntlet::promql
