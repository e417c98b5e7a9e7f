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
    bool my_turn;
    while (!(my_turn = inside_ < places_ && line_.front() == ticket) && !cancel.stopped()) {
      changed_.WaitUntil(mutex_, cancel.DeadlineOr(std::chrono::hours(1)));
    }
    line_.erase(std::find(line_.begin(), line_.end(), ticket));
    if (my_turn) {
      ++inside_;
    } else {
      status = cancel.status();
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
