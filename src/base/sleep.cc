#include "base/sleep.h"

#include "base/mutex.h"

namespace gauntlet {

bool SleepFor(std::chrono::milliseconds time, const Cancel& cancel) {
  Mutex mutex;
  CondVar changed;
  bool stopped = false;
  auto registration = cancel.OnStop([&] {
    MutexLock lock(mutex);
    stopped = true;
    changed.NotifyAll();
  });
  auto until = cancel.DeadlineOr(time);
  MutexLock lock(mutex);
  while (!stopped && changed.WaitUntil(mutex, until)) {
  }
  return !cancel.stopped();
}

}  // namespace gauntlet
