// A thread with a small stack, for tests of what must not recurse.

#pragma once

#include <pthread.h>

#include <cstddef>
#include <type_traits>

#include "base/check.h"

namespace gauntlet {

// Runs `body` on a thread of its own with that much stack, and waits.
template <typename Body>
void RunOnSmallStack(Body&& body, size_t stack_bytes = 256 << 10) {
  pthread_attr_t attributes;
  pthread_t thread;
  GN_CHECK(pthread_attr_init(&attributes) == 0);
  GN_CHECK(pthread_attr_setstacksize(&attributes, stack_bytes) == 0);
  auto run = [](void* b) -> void* {
    (*static_cast<std::remove_reference_t<Body>*>(b))();
    return nullptr;
  };
  GN_CHECK(pthread_create(&thread, &attributes, run, &body) == 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

}  // namespace gauntlet
