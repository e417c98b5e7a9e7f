#include "base/executor.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <list>
#include <thread>
#include <utility>

#include "base/check.h"
#include "base/mutex.h"

namespace gauntlet {

class ThreadPool::Rep {
 public:
  Rep(std::string name, size_t threads_max, std::chrono::milliseconds idle)
      : name_(std::move(name)), threads_max_(threads_max), idle_max_(idle) {}

  ~Rep() {
    std::list<std::thread> threads;
    {
      MutexLock lock(mutex_);
      stopping_ = true;
      work_.NotifyAll();
      while (running_ > 0) ended_.Wait(mutex_);
      threads.swap(threads_);
      threads.splice(threads.end(), dead_);
    }
    for (auto& thread : threads) thread.join();
  }

  void Run(std::function<void()> task) {
    MutexLock lock(mutex_);
    JoinEnded();
    queue_.push_back(std::move(task));
    if (idle_ >= queue_.size() || running_ >= threads_max_) return work_.NotifyOne();
    ++running_;
    threads_.emplace_back();
    auto self = std::prev(threads_.end());
    *self = std::thread([this, self] { Loop(self); });
    pthread_setname_np(self->native_handle(), name_.substr(0, 15).c_str());
  }

  size_t threads_max() const { return threads_max_; }

 private:
  void Loop(std::list<std::thread>::iterator self) {
    mutex_.Lock();
    while (true) {
      if (queue_.empty()) {
        if (stopping_) break;
        ++idle_;
        bool woken = work_.WaitUntil(mutex_, std::chrono::steady_clock::now() + idle_max_);
        --idle_;
        if (!woken && queue_.empty()) break;
        continue;
      }
      std::function<void()> task = std::move(queue_.front());
      queue_.pop_front();
      mutex_.Unlock();
      task();
      task = nullptr;
      mutex_.Lock();
    }
    --running_;
    if (!stopping_) dead_.splice(dead_.end(), threads_, self);
    ended_.NotifyAll();
    mutex_.Unlock();
  }

  void JoinEnded() GN_REQUIRES(mutex_) {
    for (auto& thread : dead_) thread.join();  // each has left Loop's lock already: the join is short
    dead_.clear();
  }

  const std::string name_;
  const size_t threads_max_;
  const std::chrono::milliseconds idle_max_;
  Mutex mutex_;
  CondVar work_, ended_;
  std::deque<std::function<void()>> queue_ GN_GUARDED_BY(mutex_);
  std::list<std::thread> threads_ GN_GUARDED_BY(mutex_);
  std::list<std::thread> dead_ GN_GUARDED_BY(mutex_);
  size_t idle_ GN_GUARDED_BY(mutex_) = 0;
  size_t running_ GN_GUARDED_BY(mutex_) = 0;
  bool stopping_ GN_GUARDED_BY(mutex_) = false;
};

ThreadPool::ThreadPool(std::string name, size_t threads_max, std::chrono::milliseconds idle_max)
    : rep_(std::make_unique<Rep>(std::move(name), threads_max < 1 ? 1 : threads_max, idle_max)) {}

ThreadPool::~ThreadPool() = default;

void ThreadPool::Run(std::function<void()> task) { rep_->Run(std::move(task)); }

size_t ThreadPool::width() const { return rep_->threads_max(); }

void ParallelFor(Executor& executor, size_t count, const std::function<void(size_t)>& body) {
  if (count == 0) return;
  // The shared state outlives the call: a helper task may start after all work is done, and then finds none.
  struct Shared {
    std::atomic<size_t> next{0};
    size_t count;
    const std::function<void(size_t)>* body;
    Mutex mutex;
    CondVar all_done;
    size_t done GN_GUARDED_BY(mutex) = 0;

    void Work() {
      size_t mine = 0;
      for (size_t i; (i = next.fetch_add(1)) < count; ++mine) (*body)(i);
      if (mine == 0) return;
      MutexLock lock(mutex);
      done += mine;
      if (done == count) all_done.NotifyAll();
    }
  };
  auto shared = std::make_shared<Shared>();
  shared->count = count;
  shared->body = &body;
  size_t others = std::min(executor.width(), count) - 1;
  for (size_t i = 0; i < others; ++i) executor.Run([shared] { shared->Work(); });
  shared->Work();
  MutexLock lock(shared->mutex);
  while (shared->done < count) shared->all_done.Wait(shared->mutex);
}

}  // namespace gauntlet
