// Process: the process_* metrics, and the nearest honest values for the go_* names that Thanos' dashboards read.
//
// Threads: thread-safe.

#pragma once

#include <cstdint>
#include <string>

#include "telemetry/metrics.h"

namespace gauntlet::telemetry {

// As of now, from /proc; fields that cannot be read are 0.
struct ProcessStats {
  double cpu_seconds = 0;
  double start_unix_seconds = 0;
  uint64_t resident_bytes = 0, virtual_bytes = 0;
  uint64_t main_stack_bytes = 0;
  uint64_t threads = 0;
  uint64_t open_fds = 0, max_fds = 0;
};
ProcessStats ReadProcessStats();

// process_cpu_seconds_total, process_resident_memory_bytes, ...; go_goroutines (threads), go_memstats_* (jemalloc's
// counts; without jemalloc those that it alone knows are left out), go_gc_duration_seconds (always 0), go_info.
void RegisterProcess(Registry& registry);

}  // namespace gauntlet::telemetry
