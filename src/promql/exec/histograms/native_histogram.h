// Native histograms: quantiles, fractions and the variance, estimated from their buckets.
//
// Upstream: prometheus promql/quantile.go (HistogramQuantile, HistogramFraction), functions.go (histogramVariance)
// Threads:  functions.

#pragma once

#include "model/histogram.h"

namespace gauntlet::promql {

// What observations of NaN did: they are counted, but lie in no bucket.
struct NaNObservations {
  bool result_is_nan = false, skewed = false;
  void Merge(const NaNObservations& other) {
    result_is_nan = result_is_nan || other.result_is_nan;
    skewed = skewed || other.skewed;
  }
};

double NativeQuantile(double q, const Histogram& h, NaNObservations* nans);
// The fraction of observations in (lower, upper].
double NativeFraction(double lower, double upper, const Histogram& h, NaNObservations* nans);
double NativeVariance(const Histogram& h);

}  // namespace gauntlet::promql
