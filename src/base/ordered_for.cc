#include "base/ordered_for.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "base/executor.h"
#include "base/mutex.h"

namespace gauntlet {
namespace {

enum class State : unsigned char { kIdle, kQueued, kRunning, kDone };

// Outlives the call: a task may come after all is done, and then finds nothing queued.
class Line {
 public:
  Line(size_t slots, const std::function<void(size_t, size_t)>& make) : make_(make), count_(slots), slots_(slots) {}

  void Queue(size_t slot, size_t i) {
    MutexLock lock(mutex_);
    slots_[slot] = {State::kQueued, i};
  }

  // Makes what is queued in the slot, if anything is: the task of an earlier piece may do that, too.
  void Make(size_t slot) {
    size_t i;
    {
      MutexLock lock(mutex_);
      if (slots_[slot].state != State::kQueued) return;
      slots_[slot].state = State::kRunning;
      i = slots_[slot].i;
    }
    make_(slot, i);
    MutexLock lock(mutex_);
    slots_[slot].state = State::kDone;
    done_.NotifyAll();
  }

  // Returns once the slot is done. While another thread is at it, the next pieces are worth more than waiting.
  void Await(size_t slot) {
    Make(slot);
    for (size_t ahead = 1; ahead < count_ && IsRunning(slot); ++ahead) Make((slot + ahead) % count_);
    MutexLock lock(mutex_);
    while (slots_[slot].state == State::kRunning) done_.Wait(mutex_);
  }

  // Drops what is queued, waits for what runs.
  void End() {
    MutexLock lock(mutex_);
    for (Slot& slot : slots_) {
      if (slot.state == State::kQueued) slot.state = State::kIdle;
      while (slot.state == State::kRunning) done_.Wait(mutex_);
    }
  }

 private:
  bool IsRunning(size_t slot) {
    MutexLock lock(mutex_);
    return slots_[slot].state == State::kRunning;
  }

  struct Slot {
    State state = State::kIdle;
    size_t i = 0;
  };
  const std::function<void(size_t, size_t)>& make_;
  const size_t count_;
  Mutex mutex_;
  CondVar done_;
  std::vector<Slot> slots_ GN_GUARDED_BY(mutex_);
};

}  // namespace

void OrderedFor(Executor& executor, size_t count, size_t slots, const std::function<void(size_t, size_t)>& make,
                const std::function<bool(size_t, size_t)>& take) {
  slots = std::max<size_t>(1, slots);
  auto line = std::make_shared<Line>(slots, make);
  auto queue = [&](size_t i) {
    line->Queue(i % slots, i);
    executor.Run([line, slot = i % slots] { line->Make(slot); });
  };
  for (size_t i = 0; i < std::min(slots, count); ++i) queue(i);
  for (size_t i = 0; i < count; ++i) {
    line->Await(i % slots);
    if (!take(i % slots, i)) break;
    if (i + slots < count) queue(i + slots);
  }
  line->End();
}

}  // namespace gauntlet
