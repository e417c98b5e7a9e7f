// CallAdmission: lets Series calls in, in their order, while the memory that those inside may come to hold fits.
//
// A call that is inside is counted with what it may be expected to hold, or with what it holds when that is more: so
// that one that was let in is not refused half-way because of others, and none waits for memory while it holds some.
// Threads: thread-safe.

#pragma once

#include <chrono>
#include <list>
#include <memory>

#include "base/cancel.h"
#include "base/memory_budget.h"
#include "base/mutex.h"
#include "base/status.h"

namespace gauntlet::store {

class CallAdmission {
 public:
  // `budget`: of the process, borrowed; may be null, then all come in. A call is expected to hold `call_bytes`.
  CallAdmission(MemoryBudget* budget, size_t call_bytes) : budget_(budget), call_bytes_(call_bytes) {}

  // Inside, until it goes. What the call holds is charged to `memory`, which whoever holds some of it may share.
  class Place {
   public:
    Place(CallAdmission& admission, std::shared_ptr<MemoryBudget> memory)
        : admission_(admission), memory_(std::move(memory)) {}
    ~Place() { admission_.Leave(memory_.get()); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    const std::shared_ptr<MemoryBudget>& memory() const { return memory_; }

   private:
    CallAdmission& admission_;
    const std::shared_ptr<MemoryBudget> memory_;
  };

  // Waits until those who came before are in and there is room; the cancel's status when it ends first. Somebody alone
  // always comes in.
  Result<std::unique_ptr<Place>> Enter(const Cancel& cancel);
  size_t waiting() const;

 private:
  struct Waiter {
    CondVar called;
  };

  bool HasRoom() const GN_REQUIRES(mutex_);
  void Leave(const MemoryBudget* memory);

  MemoryBudget* const budget_;
  const size_t call_bytes_;
  mutable Mutex mutex_;
  std::list<Waiter*> waiting_ GN_GUARDED_BY(mutex_);
  std::list<std::shared_ptr<MemoryBudget>> inside_ GN_GUARDED_BY(mutex_);
};

}  // namespace gauntlet::store
