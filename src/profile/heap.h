// The heap profile: jemalloc's sampled allocations, scaled to what they stand for.
//
// Format:  jemalloc's heap_v2 text, as jeprof reads it.
// Threads: thread-safe.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace gauntlet::profile {

struct HeapProfile {
  struct Sample {
    std::vector<uintptr_t> stack;  // innermost first; addresses inside the calls
    int64_t live_objects = 0, live_bytes = 0;
  };
  std::vector<Sample> samples;
  int64_t sample_bytes = 0;  // one sample about every so many bytes
};

// kUnsupported when the allocator takes none.
Result<HeapProfile> TakeHeapProfile();
// kCorrupt when the text is not of that format.
Result<HeapProfile> ParseHeapProfile(std::string_view text);

}  // namespace gauntlet::profile
