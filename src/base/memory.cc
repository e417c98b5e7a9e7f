#include "base/memory.h"

#include <cstdio>
#include <vector>

extern "C" {
// jemalloc's entry points; null when it is not linked.
int mallctl(const char* name, void* old, size_t* old_size, void* value, size_t value_size) __attribute__((weak));
int mallctlnametomib(const char* name, size_t* mib, size_t* mib_size) __attribute__((weak));
int mallctlbymib(const size_t* mib, size_t mib_size, void* old, size_t* old_size, void* value, size_t value_size)
    __attribute__((weak));

// Read by jemalloc at its start. Samples cost about a stack walk per MiB allocated. Unused pages go back to the system
// within a second, by a background thread too while the process is idle: frames of all sizes pass through, and kept for
// longer their pages are most of the memory of a busy sidecar.
extern const char* malloc_conf;
const char* malloc_conf =
    "dirty_decay_ms:1000,muzzy_decay_ms:0,background_thread:true,max_background_threads:1,prof:true,prof_active:true,"
    "lg_prof_sample:20";
}

namespace gauntlet {
namespace {

template <typename T>
bool Read(const char* name, T* value) {
  size_t size = sizeof(T);
  return mallctl(name, value, &size, nullptr, 0) == 0;
}

// Sum over the size classes of `classes` ("bin", "lextent"): how many were ever handed out times their size.
uint64_t HandedOut(const char* classes) {
  constexpr size_t kAllArenas = 4096;  // MALLCTL_ARENAS_ALL
  char name[64];
  unsigned count = 0;
  std::snprintf(name, sizeof(name), "arenas.n%ss", classes);
  if (!Read(name, &count)) return 0;
  size_t size_mib[8], size_n = 8, made_mib[8], made_n = 8;
  std::snprintf(name, sizeof(name), "arenas.%s.0.size", classes);
  if (mallctlnametomib(name, size_mib, &size_n) != 0) return 0;
  std::snprintf(name, sizeof(name), "stats.arenas.%zu.%ss.0.nmalloc", kAllArenas, classes);
  if (mallctlnametomib(name, made_mib, &made_n) != 0) return 0;
  uint64_t total = 0;
  for (size_t i = 0; i < count; ++i) {
    size_t size = 0, size_size = sizeof(size);
    uint64_t made = 0;
    size_t made_size = sizeof(made);
    size_mib[2] = i;
    made_mib[4] = i;
    if (mallctlbymib(size_mib, size_n, &size, &size_size, nullptr, 0) == 0 &&
        mallctlbymib(made_mib, made_n, &made, &made_size, nullptr, 0) == 0) {
      total += size * made;
    }
  }
  return total;
}

}  // namespace

std::optional<AllocatorStats> ReadAllocatorStats() {
  if (mallctl == nullptr || mallctlnametomib == nullptr || mallctlbymib == nullptr) return std::nullopt;
  uint64_t epoch = 1;
  size_t size = sizeof(epoch);
  if (mallctl("epoch", &epoch, &size, &epoch, sizeof(epoch)) != 0) return std::nullopt;  // takes the counts anew
  AllocatorStats stats;
  if (!Read("stats.allocated", &stats.allocated_bytes) || !Read("stats.active", &stats.active_bytes) ||
      !Read("stats.metadata", &stats.metadata_bytes) || !Read("stats.mapped", &stats.mapped_bytes) ||
      !Read("stats.resident", &stats.resident_bytes) || !Read("stats.retained", &stats.retained_bytes)) {
    return std::nullopt;
  }
  stats.allocated_total_bytes = HandedOut("bin") + HandedOut("lextent");
  return stats;
}

bool HeapProfileActive() {
  bool active = false;
  return mallctl != nullptr && Read("prof.active", &active) && active;
}

Status DumpHeapProfile(const std::string& path) {
  if (!HeapProfileActive()) {
    return Status(Code::kUnsupported, "the allocator takes no heap profile in this build or by MALLOC_CONF");
  }
  const char* name = path.c_str();
  if (mallctl("prof.dump", nullptr, nullptr, &name, sizeof(name)) != 0) {
    return Status(Code::kUnavailable, "write heap profile to " + path);
  }
  return Status();
}

}  // namespace gauntlet
