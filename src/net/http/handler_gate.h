// HandlerGate: counts the handlers inside, and lets a server that goes away wait for them; those that come later are
// turned back.
//
// Threads: thread-safe.

#pragma once

#include <cstddef>

#include "base/mutex.h"

namespace gauntlet::net {

class HandlerGate {
 public:
  bool Enter();
  void Leave();
  void Close();  // before Wait
  void Wait();

 private:
  Mutex mutex_;
  CondVar empty_;
  size_t inside_ GN_GUARDED_BY(mutex_) = 0;
  bool closed_ GN_GUARDED_BY(mutex_) = false;
};

}  // namespace gauntlet::net
