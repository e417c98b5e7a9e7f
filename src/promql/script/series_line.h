// Series lines of the promqltest language: a metric and its values, as written for load and for expected results.
//
//   http_requests{job="api"} 0+10x5 _ stale {{schema:0 sum:3 count:2 buckets:[1 1]}}x2
//
// Upstream: prometheus promql/promqltest/README.md, test.go (parseSTLine)
// Threads:  functions.

#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "model/histogram.h"
#include "model/labels.h"

namespace gauntlet::promql {

// One position of a sequence.
struct SequenceValue {
  bool omitted = false;
  double value = 0;
  std::optional<Histogram> histogram;
  bool reset_hint_set = false;  // written, so it is compared
};

struct SeriesLine {
  Labels labels;
  std::vector<SequenceValue> values;
};

Result<SeriesLine> ParseSeriesLine(std::string_view line);

// metric{...}@st -1m _ -30sx2: start times, as offsets in milliseconds from the sample's time.
struct StartTimeLine {
  Labels labels;
  std::vector<std::optional<int64_t>> offsets_ms;
};
bool IsStartTimeLine(std::string_view line);
Result<StartTimeLine> ParseStartTimeLine(std::string_view line);

}  // namespace gauntlet::promql
