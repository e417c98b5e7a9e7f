#include "promql/exec/range/sliding.h"

#include <cstring>

#include "promql/exec/rows/simd.h"

namespace gauntlet::promql {
namespace {

GN_WIDE_VECTORS bool AllWithin(const double* values, size_t size, double limit) {
  uint64_t within = ~uint64_t{0};
  for (size_t i = 0; i < size; ++i) within &= std::fabs(values[i]) < limit ? ~uint64_t{0} : 0;
  return within != 0;
}

// Eight sums side by side.
GN_WIDE_VECTORS void AddEights(const double* values, uint32_t size, CompensatedSum* out) {
  using Four = double __attribute__((vector_size(32)));
  Four sums[2] = {}, cs[2] = {};
  uint32_t i = 0;
  for (; i + 8 <= size; i += 8) {
    Four v[2];
    std::memcpy(v, values + i, sizeof(v));
    AddFinite(v[0], &sums[0], &cs[0]);
    AddFinite(v[1], &sums[1], &cs[1]);
  }
  double sum = out->sum, c = out->c;
  for (const Four& four : sums) {
    for (int k = 0; k < 4; ++k) AddFinite(four[k], &sum, &c);
  }
  for (const Four& four : cs) c += (four[0] + four[1]) + (four[2] + four[3]);
  for (; i < size; ++i) AddFinite(values[i], &sum, &c);
  out->sum = sum;
  out->c = c;
}

}  // namespace

void AddAll(const double* values, uint32_t size, CompensatedSum* out) { AddEights(values, size, out); }

bool AnyRisky(const double* values, size_t size, double limit) { return !AllWithin(values, size, limit); }

}  // namespace gauntlet::promql
