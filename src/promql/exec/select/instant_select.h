// Instant selection: at each step the newest sample within the lookback, unless it is a stale marker.
//
// Upstream: prometheus promql/engine.go (evalSeries, vectorSelectorSingle)
// Threads:  immutable.

#pragma once

#include <memory>

#include "promql/exec/select/scan.h"
#include "promql/plan/node.h"

namespace gauntlet::promql {

enum class InstantValue : uint8_t {
  kSample,          // what the sample holds
  kTimestamp,       // when it was taken, in seconds: timestamp(up)
  kTimeMs,          // the same in milliseconds, and an error for a histogram: of info metrics
  kStartTimestamp,  // when its counter began, in seconds; 0 when unknown
  kNothing,         // it is looked up, and that is all
};

std::unique_ptr<SeriesReader> MakeInstantReader(const VectorSelectNode& node, InstantValue value);
// `smoothed`: between two samples a value on the line between them.
std::unique_ptr<SeriesReader> MakeSmoothedReader(const VectorSelectNode& node);

}  // namespace gauntlet::promql
