// Classic histograms: quantiles and fractions from cumulative buckets.
//
// Upstream: prometheus promql/quantile.go (BucketQuantile, BucketFraction)
// Threads:  functions.

#pragma once

#include <vector>

#include "promql/exec/rows/annotation_set.h"

namespace gauntlet::promql {

struct Bucket {
  double upper_bound;
  double count;  // cumulative
};

// The q-quantile. `buckets`, at least one, ascending by bound; changed. When counts had to be made cumulative (beyond
// rounding errors), adds that to `forced` (whose count is then not 0) at time `now_ms`.
double BucketQuantile(double q, std::vector<Bucket>* buckets, int64_t now_ms, ForcedMonotonicity* forced);

// The fraction of observations in (lower, upper].
double BucketFraction(double lower, double upper, std::vector<Bucket>* buckets);

}  // namespace gauntlet::promql
