// Memory: what the allocator (jemalloc) knows of itself: its counts, and its sampled heap profile.
//
// A build without jemalloc (sanitizers) answers nullopt and kUnsupported.
// Threads: thread-safe.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/status.h"

namespace gauntlet {

struct AllocatorStats {
  uint64_t allocated_total_bytes = 0;  // ever handed out
  size_t allocated_bytes = 0;          // handed out now
  size_t active_bytes = 0;             // pages that hold at least one allocation
  size_t metadata_bytes = 0;           // the allocator's own
  size_t mapped_bytes = 0;             // address space in use by it
  size_t resident_bytes = 0;           // of these, backed by memory
  size_t retained_bytes = 0;           // given back to the system, address space kept
};
std::optional<AllocatorStats> ReadAllocatorStats();

// Whether allocations are being sampled. On by default, at one stack about every MiB; the environment variable
// MALLOC_CONF=prof:false turns it off.
bool HeapProfileActive();
// Writes the profile in jemalloc's heap_v2 text to `path`.
Status DumpHeapProfile(const std::string& path);

}  // namespace gauntlet
