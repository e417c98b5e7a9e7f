#include "damage/allocation_meter.h"

#include <malloc.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <new>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GN_DAMAGE_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define GN_DAMAGE_ASAN 1
#endif

namespace {

thread_local bool counting = false;
thread_local int64_t live = 0, peak = 0;

void Took(size_t bytes) {
  if (!counting) return;
  live += static_cast<int64_t>(bytes);
  peak = std::max(peak, live);
}

void Gave(size_t bytes) {
  if (counting) live -= static_cast<int64_t>(bytes);
}

}  // namespace

#ifdef GN_DAMAGE_ASAN

extern "C" {
int __sanitizer_install_malloc_and_free_hooks(void (*malloc_hook)(const volatile void*, size_t),
                                              void (*free_hook)(const volatile void*));
size_t __sanitizer_get_allocated_size(const volatile void*);
}

namespace {
const int installed = __sanitizer_install_malloc_and_free_hooks(
    [](const volatile void*, size_t bytes) { Took(bytes); },
    [](const volatile void* p) { Gave(p != nullptr ? __sanitizer_get_allocated_size(p) : 0); });
}  // namespace

#else

namespace {

void* Allocate(size_t bytes, size_t alignment) {
  void* p = alignment > alignof(std::max_align_t)
                ? std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment)
                : std::malloc(bytes);
  if (p != nullptr) Took(malloc_usable_size(p));
  return p;
}

void* AllocateOrEnd(size_t bytes, size_t alignment) {
  void* p = Allocate(std::max<size_t>(bytes, 1), alignment);
  if (p == nullptr) std::abort();
  return p;
}

void Free(void* p) {
  if (p == nullptr) return;
  Gave(malloc_usable_size(p));
  std::free(p);
}

}  // namespace

void* operator new(size_t n) { return AllocateOrEnd(n, 1); }
void* operator new[](size_t n) { return AllocateOrEnd(n, 1); }
void* operator new(size_t n, std::align_val_t a) { return AllocateOrEnd(n, static_cast<size_t>(a)); }
void* operator new[](size_t n, std::align_val_t a) { return AllocateOrEnd(n, static_cast<size_t>(a)); }
void* operator new(size_t n, const std::nothrow_t&) noexcept { return Allocate(std::max<size_t>(n, 1), 1); }
void* operator new[](size_t n, const std::nothrow_t&) noexcept { return Allocate(std::max<size_t>(n, 1), 1); }
void operator delete(void* p) noexcept { Free(p); }
void operator delete[](void* p) noexcept { Free(p); }
void operator delete(void* p, size_t) noexcept { Free(p); }
void operator delete[](void* p, size_t) noexcept { Free(p); }
void operator delete(void* p, std::align_val_t) noexcept { Free(p); }
void operator delete[](void* p, std::align_val_t) noexcept { Free(p); }
void operator delete(void* p, size_t, std::align_val_t) noexcept { Free(p); }
void operator delete[](void* p, size_t, std::align_val_t) noexcept { Free(p); }
void operator delete(void* p, const std::nothrow_t&) noexcept { Free(p); }
void operator delete[](void* p, const std::nothrow_t&) noexcept { Free(p); }

#endif

namespace gauntlet::damage {

AllocationMeter::AllocationMeter() {
  live = peak = 0;
  counting = true;
}

AllocationMeter::~AllocationMeter() { counting = false; }

int64_t AllocationMeter::peak_bytes() const { return peak; }

}  // namespace gauntlet::damage
