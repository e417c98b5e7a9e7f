// Durations in YAML: Prometheus' ("1m30s", "1d") and Go's ("1.5h"; a bare integer counts nanoseconds).
//
// Threads: one thread at a time, as Decoder.

#pragma once

#include <chrono>
#include <string_view>

#include "config/decoder.h"

namespace gauntlet::config {

// As Decoder::Field: false, and nothing written, when absent or wrong.
bool PromDurationField(Decoder& decoder, std::string_view name, std::chrono::milliseconds* out);
bool GoDurationField(Decoder& decoder, std::string_view name, std::chrono::nanoseconds* out);

}  // namespace gauntlet::config
