#include "promql/exec/rows/math.h"

#include "model/stale.h"

namespace gauntlet::promql {

double Quantile(double q, std::span<double> values) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  if (values.empty() || std::isnan(q)) return std::numeric_limits<double>::quiet_NaN();
  if (q < 0) return -kInf;
  if (q > 1) return kInf;
  const double n = static_cast<double>(values.size());
  const double rank = q * (n - 1);
  const size_t lower = static_cast<size_t>(std::max(0.0, std::floor(rank)));
  const size_t upper = std::min(values.size() - 1, lower + 1);
  const double weight = rank - std::floor(rank);
  auto numbers = std::partition(values.begin(), values.end(), [](double v) { return std::isnan(v); });
  auto lower_at = values.begin() + static_cast<std::ptrdiff_t>(lower);
  if (lower_at >= numbers) std::nth_element(numbers, lower_at, values.end());
  double low = *lower_at, high = low;
  if (upper != lower) {
    auto upper_at = lower_at + 1;
    high = upper_at < numbers ? *upper_at : *std::min_element(std::max(upper_at, numbers), values.end());
  }
  return low * (1 - weight) + high * weight;
}

bool AlmostEqual(double a, double b, double epsilon) {
  constexpr double kMinNormal = std::numeric_limits<double>::min();
  if (IsStaleNaN(a) || IsStaleNaN(b)) return IsStaleNaN(a) && IsStaleNaN(b);
  if (std::isnan(a) && std::isnan(b)) return true;
  if (a == b) return true;
  double sum = std::fabs(a) + std::fabs(b), difference = std::fabs(a - b);
  if (a == 0 || b == 0 || sum < kMinNormal) return difference < epsilon * kMinNormal;
  return difference / std::min(sum, std::numeric_limits<double>::max()) < epsilon;
}

}  // namespace gauntlet::promql
