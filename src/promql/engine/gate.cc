#include "promql/engine/gate.h"

#include <algorithm>

namespace gauntlet::promql {

Status Gate::Enter(const Cancel& cancel) {
  if (places_ == 0) return Status();
  auto wake = cancel.OnStop([this] {
    MutexLock lock(mutex_);
    changed_.NotifyAll();
  });
  Status status;
  {
    MutexLock lock(mutex_);
    uint64_t ticket = next_ticket_++;
    line_.push_back(ticket);
    while (!cancel.stopped() && (inside_ >= places_ || line_.front() != ticket)) {
      changed_.WaitUntil(mutex_, cancel.DeadlineOr(std::chrono::hours(1)));
    }
    line_.erase(std::find(line_.begin(), line_.end(), ticket));
    if (cancel.stopped()) {
      status = cancel.status();
    } else {
      ++inside_;
    }
    changed_.NotifyAll();
  }
  return status;
}

void Gate::Leave() {
  if (places_ == 0) return;
  MutexLock lock(mutex_);
  --inside_;
  changed_.NotifyAll();
}

}  // namespace gauntlet::promql
