// Stacks of running threads: a CPU profile by SIGPROF, and where every thread is right now.
//
// A sample is taken in the signal's handler: the unwinder of the compiler's runtime walks the frames (it neither locks
// nor allocates: glibc's _dl_find_object), so that also code without frame pointers (libc, OpenSSL, jemalloc) shows its
// callers. One collection runs at a time.
// Threads: thread-safe; the calls block.

#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/status.h"

namespace gauntlet::profile {

struct CpuProfile {
  struct Sample {
    std::vector<uintptr_t> stack;  // innermost first; addresses inside the calls
    int64_t count = 0;
  };
  std::vector<Sample> samples;
  int64_t start_unix_ns = 0, duration_ns = 0;
  int64_t period_ns = 0;  // CPU time that one sample stands for
  int64_t dropped = 0;    // samples for which there was no room
};

// Until `duration` has passed or `cancel` ends. `hertz` samples for each second of CPU time, 1..1000.
// kUnavailable while another collection runs.
Result<CpuProfile> CollectCpuProfile(std::chrono::milliseconds duration, int hertz, const Cancel& cancel);

struct ThreadStack {
  int id = 0;
  std::string name;
  char state = '?';              // as in /proc: R, S, D, ...
  std::vector<uintptr_t> stack;  // empty when the thread did not answer in time
};
Result<std::vector<ThreadStack>> CollectThreadStacks();

}  // namespace gauntlet::profile
