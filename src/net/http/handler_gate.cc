#include "net/http/handler_gate.h"

namespace gauntlet::net {

bool HandlerGate::Enter() {
  MutexLock lock(mutex_);
  if (closed_) return false;
  ++inside_;
  return true;
}

void HandlerGate::Leave() {
  MutexLock lock(mutex_);
  if (--inside_ == 0) empty_.NotifyAll();
}

void HandlerGate::Close() {
  MutexLock lock(mutex_);
  closed_ = true;
}

void HandlerGate::Wait() {
  MutexLock lock(mutex_);
  while (inside_ > 0) empty_.Wait(mutex_);
}

}  // namespace gauntlet::net
