// Mutex, MutexLock and CondVar, annotated so that clang checks at compile time which fields which lock guards.
//
// Threads: all classes here are thread-safe.

#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define GN_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define GN_THREAD_ATTRIBUTE(x)
#endif
#define GN_CAPABILITY(x) GN_THREAD_ATTRIBUTE(capability(x))
#define GN_SCOPED_CAPABILITY GN_THREAD_ATTRIBUTE(scoped_lockable)
#define GN_GUARDED_BY(x) GN_THREAD_ATTRIBUTE(guarded_by(x))
#define GN_PT_GUARDED_BY(x) GN_THREAD_ATTRIBUTE(pt_guarded_by(x))
#define GN_REQUIRES(...) GN_THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define GN_EXCLUDES(...) GN_THREAD_ATTRIBUTE(locks_excluded(__VA_ARGS__))
#define GN_ACQUIRE(...) GN_THREAD_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define GN_RELEASE(...) GN_THREAD_ATTRIBUTE(release_capability(__VA_ARGS__))
#define GN_NO_THREAD_SAFETY_ANALYSIS GN_THREAD_ATTRIBUTE(no_thread_safety_analysis)

namespace gauntlet {

class CondVar;

class GN_CAPABILITY("mutex") Mutex {
 public:
  void Lock() GN_ACQUIRE() { mutex_.lock(); }
  void Unlock() GN_RELEASE() { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

class GN_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) GN_ACQUIRE(mutex) : mutex_(mutex) { mutex_.Lock(); }
  ~MutexLock() GN_RELEASE() { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

class CondVar {
 public:
  // Waits may wake without a notification: loop on the condition.
  void Wait(Mutex& mutex) GN_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    cond_.wait(lock);
    lock.release();
  }
  // Returns false when `until` passed.
  bool WaitUntil(Mutex& mutex, std::chrono::steady_clock::time_point until) GN_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    bool in_time = cond_.wait_until(lock, until) == std::cv_status::no_timeout;
    lock.release();
    return in_time;
  }
  void NotifyOne() { cond_.notify_one(); }
  void NotifyAll() { cond_.notify_all(); }

 private:
  std::condition_variable cond_;
};

}  // namespace gauntlet
