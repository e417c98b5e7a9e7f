// Test data for merging: samples written as text, and the reduction of merged samples to what a test looks at.

#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "model/samples.h"

namespace gauntlet::dedup {

using Points = std::vector<std::pair<int64_t, double>>;

inline Samples MakeSamples(const Points& points) {
  Samples samples;
  for (auto [t, v] : points) {
    samples.times_ms.push_back(t);
    samples.values.push_back(v);
  }
  return samples;
}

inline Points ToPoints(const Samples& samples) {
  Points points;
  for (size_t i = 0; i < samples.size(); ++i) points.push_back({samples.times_ms[i], samples.values[i]});
  return points;
}

}  // namespace gauntlet::dedup
