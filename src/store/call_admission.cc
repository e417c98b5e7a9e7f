#include "store/call_admission.h"

#include <algorithm>
#include <string>
#include <utility>

namespace gauntlet::store {
namespace {

// What a call gives back before its end is seen so soon.
constexpr std::chrono::milliseconds kLookAgain{50};

}  // namespace

Result<std::unique_ptr<CallAdmission::Place>> CallAdmission::Enter(const Cancel& cancel) {
  Waiter waiter;
  auto registration = cancel.OnStop([&] {
    MutexLock lock(mutex_);
    waiter.called.NotifyAll();
  });
  MutexLock lock(mutex_);
  waiting_.push_back(&waiter);
  while (waiting_.front() != &waiter || !HasRoom()) {
    Status stopped = cancel.status();
    if (stopped.ok()) {
      waiter.called.WaitUntil(mutex_, cancel.DeadlineOr(kLookAgain));
      continue;
    }
    waiting_.remove(&waiter);
    if (!waiting_.empty()) waiting_.front()->called.NotifyAll();
    return std::move(stopped).Wrap("wait for memory, " + std::to_string(budget_->used_bytes()) + " of " +
                                   std::to_string(budget_->limit_bytes()) + " bytes used by " +
                                   std::to_string(inside_.size()) + " calls");
  }
  waiting_.pop_front();
  inside_.push_back(std::make_shared<MemoryBudget>("call", 0, budget_));
  if (!waiting_.empty()) waiting_.front()->called.NotifyAll();
  return std::make_unique<Place>(*this, inside_.back());
}

bool CallAdmission::HasRoom() const {
  if (budget_ == nullptr || budget_->limit_bytes() == 0 || inside_.empty()) return true;
  size_t by_calls = 0, expected = 0;
  for (const auto& memory : inside_) {
    by_calls += memory->used_bytes();
    expected += std::max(memory->used_bytes(), call_bytes_);
  }
  size_t used = budget_->used_bytes(), by_others = used - std::min(used, by_calls);
  return by_others + expected + call_bytes_ <= budget_->limit_bytes();
}

size_t CallAdmission::waiting() const {
  MutexLock lock(mutex_);
  return waiting_.size();
}

void CallAdmission::Leave(const MemoryBudget* memory) {
  MutexLock lock(mutex_);
  inside_.remove_if([&](const auto& one) { return one.get() == memory; });
  if (!waiting_.empty()) waiting_.front()->called.NotifyAll();
}

}  // namespace gauntlet::store
