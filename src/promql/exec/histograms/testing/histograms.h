// Histograms for tests, of one bucket and with bounds of their own.
//
// Threads: functions.

#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "model/histogram.h"

namespace gauntlet::promql {

// `count` observations in (0.5, 1], with a sum of `count`.
inline Histogram Simple(double count, ResetHint hint = ResetHint::kUnknown) {
  Histogram h;
  h.reset_hint = hint;
  h.count = h.sum = count;
  h.positive_spans = {{0, 1}};
  h.positive_buckets = {count};
  return h;
}

// Buckets up to each of `bounds`, and one beyond; as many `counts`.
inline Histogram Custom(std::vector<double> bounds, std::vector<double> counts, double sum) {
  Histogram h;
  h.schema = kCustomBucketsSchema;
  h.custom_values = std::move(bounds);
  h.positive_spans = {{0, static_cast<uint32_t>(counts.size())}};
  for (double count : counts) h.count += count;
  h.sum = sum;
  h.positive_buckets = std::move(counts);
  return h;
}

}  // namespace gauntlet::promql
