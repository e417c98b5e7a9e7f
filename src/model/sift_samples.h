// SiftColumns: some samples of a series stay, in place.
//
// Threads: a function.

#pragma once

#include <cstddef>
#include <utility>

#include "model/samples.h"

namespace gauntlet {

// Leaves of times, values and start times those for which `keep(i, to)` is true, which is asked once for each i in
// order; `to` is where it would go. The histograms are the caller's to move along.
template <typename Keep>
void SiftColumns(Samples* samples, Keep&& keep) {
  const bool have_start = !samples->start_times_ms.empty();
  size_t kept = 0;
  for (size_t i = 0; i < samples->size(); ++i) {
    if (!keep(i, kept)) continue;
    samples->times_ms[kept] = samples->times_ms[i];
    samples->values[kept] = samples->values[i];
    if (have_start) samples->start_times_ms[kept] = samples->start_times_ms[i];
    ++kept;
  }
  samples->times_ms.resize(kept);
  samples->values.resize(kept);
  if (have_start) samples->start_times_ms.resize(kept);
}

}  // namespace gauntlet
