#include "promql/exec/range/sliding.h"

#include "promql/exec/rows/simd.h"

namespace gauntlet::promql {
namespace {

GN_WIDE_VECTORS bool AllWithin(const double* values, size_t size, double limit) {
  uint64_t within = ~uint64_t{0};
  for (size_t i = 0; i < size; ++i) within &= std::fabs(values[i]) < limit ? ~uint64_t{0} : 0;
  return within != 0;
}

}  // namespace

bool AnyRisky(const double* values, size_t size, double limit) { return !AllWithin(values, size, limit); }

}  // namespace gauntlet::promql
