#include "base/fair_gate.h"

namespace gauntlet {

Result<FairGate::Pass> FairGate::Enter(const Cancel& cancel) {
  if (places_ == 0) return Pass();
  Waiter waiter;
  auto wake = cancel.OnStop([&] {
    MutexLock lock(mutex_);
    waiter.called.NotifyAll();
  });
  MutexLock lock(mutex_);
  waiting_.push_back(&waiter);
  Admit();
  while (!waiter.inside) {
    if (Status stopped = cancel.status(); !stopped.ok()) {
      waiting_.remove(&waiter);
      return stopped;
    }
    if (auto deadline = cancel.deadline()) {
      waiter.called.WaitUntil(mutex_, *deadline);
    } else {
      waiter.called.Wait(mutex_);
    }
  }
  return Pass(this);
}

size_t FairGate::waiting() const {
  MutexLock lock(mutex_);
  return waiting_.size();
}

void FairGate::Admit() {
  while (!waiting_.empty() && inside_ < places_) {
    Waiter& first = *waiting_.front();
    waiting_.pop_front();
    first.inside = true;
    ++inside_;
    first.called.NotifyAll();
  }
}

void FairGate::Leave() {
  MutexLock lock(mutex_);
  --inside_;
  Admit();
}

}  // namespace gauntlet
