// GN_WIDE_VECTORS: marks a loop to be compiled for wider vectors as well; the machine decides at the start which runs.
//
// Only for loops whose result does not depend on the width: element by element, without fused multiply-add.
//
// Threads: a macro.

#pragma once

// Sanitizers start before the choice is made, and have no room for it.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define GN_WIDE_VECTORS
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define GN_WIDE_VECTORS
#endif
#endif

#ifndef GN_WIDE_VECTORS
#if defined(__x86_64__)
#define GN_WIDE_VECTORS __attribute__((target_clones("avx2", "default")))
#else
#define GN_WIDE_VECTORS
#endif
#endif
