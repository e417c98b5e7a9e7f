// FairGate: lets so many in at once; the others wait in line.
//
// Upstream: prometheus util/gate, promql/query_logger.go (Insert); thanos pkg/gate
// Threads:  thread-safe.

#pragma once

#include <cstddef>
#include <list>
#include <utility>

#include "base/cancel.h"
#include "base/mutex.h"
#include "base/status.h"

namespace gauntlet {

class FairGate {
 public:
  // A place inside; given back when it goes.
  class Pass {
   public:
    Pass() = default;
    explicit Pass(FairGate* gate) : gate_(gate) {}
    Pass(Pass&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Pass& operator=(Pass&&) = delete;
    ~Pass() {
      if (gate_ != nullptr) gate_->Leave();
    }

   private:
    FairGate* gate_ = nullptr;
  };

  // 0 = as many as come.
  explicit FairGate(size_t places) : places_(places) {}
  // Waits for a place, first come first served; the cancel's status when that ends first.
  Result<Pass> Enter(const Cancel& cancel);
  size_t waiting() const;

 private:
  struct Waiter {
    CondVar called;
    bool inside = false;
  };

  void Leave();
  void Admit() GN_REQUIRES(mutex_);

  const size_t places_;
  mutable Mutex mutex_;
  std::list<Waiter*> waiting_ GN_GUARDED_BY(mutex_);  // the first came first
  size_t inside_ GN_GUARDED_BY(mutex_) = 0;
};

}  // namespace gauntlet
