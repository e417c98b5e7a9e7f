// Series descriptions: the small language of unit tests, `up{job="a"} 1+2x3 _ stale {{schema:0 buckets:[1 2]}}x5`.
//
// Upstream: prometheus promql/parser/generated_parser.y (series_description), docs "unit testing rules"
// Threads:  values.

#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "model/histogram.h"
#include "model/labels.h"

namespace gauntlet::promql {

// One item, not spelled out: 1+2x3 is one item of four values.
struct SeriesItem {
  enum class Kind : uint8_t { kOmitted, kFloat, kHistogram } kind = Kind::kOmitted;
  uint64_t count = 1;  // values that it stands for: up to the caller to bound
  double value = 0;    // the first; each next one is the last plus `step`
  double step = 0;
  Histogram histogram;  // likewise
  enum class Change : uint8_t { kNone, kAdd, kSub } change = Change::kNone;
  Histogram histogram_step;
  bool reset_hint_set = false;  // written, so that a comparison regards it
};

struct SeriesDescription {
  Labels labels;
  std::vector<SeriesItem> items;
};

// Errors are those of parser.h.
Result<SeriesDescription> ParseSeriesDescription(std::string_view text);

}  // namespace gauntlet::promql
