#include "base/cancel.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <thread>
#include <utility>
#include <vector>

#include "base/mutex.h"

namespace gauntlet {

// Callbacks run outside the lock, one at a time; Remove waits for the one that runs, unless that one is calling.
class Cancel::State {
 public:
  explicit State(std::optional<TimePoint> deadline) : deadline_(deadline) {}

  bool stopped() const {
    return stopped_.load(std::memory_order_acquire) || (deadline_ && std::chrono::steady_clock::now() >= *deadline_);
  }

  Status status() const {
    if (stopped_.load(std::memory_order_acquire)) {
      MutexLock lock(mutex_);
      return why_;
    }
    if (deadline_ && std::chrono::steady_clock::now() >= *deadline_) {
      return Status(Code::kDeadline, "deadline exceeded");
    }
    return Status();
  }

  std::optional<TimePoint> deadline() const { return deadline_; }

  // Returns 0 when already stopped (the caller then runs the callback).
  uint64_t Add(std::function<void()>& callback) {
    MutexLock lock(mutex_);
    if (stopped_.load(std::memory_order_relaxed)) return 0;
    callbacks_[++last_id_] = std::move(callback);
    return last_id_;
  }

  void Remove(uint64_t id) {
    MutexLock lock(mutex_);
    callbacks_.erase(id);
    while (running_ == id && runner_ != std::this_thread::get_id()) done_.Wait(mutex_);
  }

  void Stop(Status why) {
    mutex_.Lock();
    if (stopped_.load(std::memory_order_relaxed)) return mutex_.Unlock();
    why_ = std::move(why);
    stopped_.store(true, std::memory_order_release);
    runner_ = std::this_thread::get_id();
    while (!callbacks_.empty()) {
      auto first = callbacks_.begin();
      running_ = first->first;
      std::function<void()> callback = std::move(first->second);
      callbacks_.erase(first);
      mutex_.Unlock();
      callback();
      callback = nullptr;
      mutex_.Lock();
      running_ = 0;
      done_.NotifyAll();
    }
    mutex_.Unlock();
  }

 private:
  const std::optional<TimePoint> deadline_;
  std::atomic<bool> stopped_{false};
  mutable Mutex mutex_;
  CondVar done_;
  Status why_ GN_GUARDED_BY(mutex_);
  std::map<uint64_t, std::function<void()>> callbacks_ GN_GUARDED_BY(mutex_);
  uint64_t last_id_ GN_GUARDED_BY(mutex_) = 0;
  uint64_t running_ GN_GUARDED_BY(mutex_) = 0;
  std::thread::id runner_ GN_GUARDED_BY(mutex_);
};

Cancel::Registration& Cancel::Registration::operator=(Registration&& other) noexcept {
  Reset();
  state_ = std::move(other.state_);
  id_ = other.id_;
  return *this;
}

void Cancel::Registration::Reset() {
  if (state_) state_->Remove(id_);
  state_.reset();
}

bool Cancel::stopped() const { return state_ && state_->stopped(); }

Status Cancel::status() const { return state_ ? state_->status() : Status(); }

std::optional<Cancel::TimePoint> Cancel::deadline() const { return state_ ? state_->deadline() : std::nullopt; }

Cancel::TimePoint Cancel::DeadlineOr(std::chrono::milliseconds timeout) const {
  TimePoint end = std::chrono::steady_clock::now() + timeout;
  return deadline() ? std::min(*deadline(), end) : end;
}

Cancel::Registration Cancel::OnStop(std::function<void()> callback) const {
  if (!state_) return Registration();
  if (uint64_t id = state_->Add(callback)) return Registration(state_, id);
  callback();
  return Registration();
}

CancelSource::CancelSource(const Cancel& parent, std::optional<std::chrono::milliseconds> timeout) {
  std::optional<Cancel::TimePoint> deadline = parent.deadline();
  if (timeout) deadline = parent.DeadlineOr(*timeout);
  auto state = std::make_shared<Cancel::State>(deadline);
  cancel_ = Cancel(state);
  parent_ = parent.OnStop([state, up = parent.state_.get()] { state->Stop(up->status()); });
}

CancelSource::~CancelSource() = default;

void CancelSource::Stop(Status why) { cancel_.state_->Stop(std::move(why)); }

}  // namespace gauntlet
