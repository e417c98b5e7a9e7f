// `tools tsdb dump` and `dump-openmetrics`: samples of a database as text.
//
// Threads: functions.

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "model/time.h"
#include "storage/storage.h"

namespace gauntlet::tools {

enum class DumpFormat : uint8_t { kProm, kSeriesJson, kOpenMetrics };

struct DumpOptions {
  int64_t mint_ms = kMinTimeMs, maxt_ms = kMaxTimeMs;
  std::vector<std::string> match = {"{__name__=~'(?s:.*)'}"};  // selectors; a series counts when any of them selects it
  DumpFormat format = DumpFormat::kProm;
};

// Hands the text to `print` piece by piece.
Status DumpSamples(storage::Queryable& source, const DumpOptions& options, const Cancel& cancel,
                   const std::function<void(std::string_view)>& print);

}  // namespace gauntlet::tools
