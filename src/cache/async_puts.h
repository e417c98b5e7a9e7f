// AsyncPuts: values on their way to a cache: a bounded queue that a few tasks write out.
//
// Threads: thread-safe. The destructor drops what waits and lets what is under way end.

#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "base/executor.h"
#include "base/mutex.h"

namespace gauntlet::cache {

struct PutItem {
  std::string key, value;
  std::chrono::seconds ttl{0};
};

struct AsyncPutsOptions {
  size_t concurrency = 20;      // batches at a time
  size_t items_max = 10'000;    // that wait
  size_t bytes_max = 64 << 20;  // of those
  size_t batch_items_max = 64;  // written in one go
  size_t batch_bytes_max = 1 << 20;
};

class AsyncPuts {
 public:
  using Write = std::function<void(std::vector<PutItem> batch)>;
  // `executor` is borrowed.
  AsyncPuts(AsyncPutsOptions options, Executor& executor, Write write)
      : options_(options), executor_(executor), write_(std::move(write)) {}
  ~AsyncPuts();
  AsyncPuts(const AsyncPuts&) = delete;
  AsyncPuts& operator=(const AsyncPuts&) = delete;

  // False when too many wait.
  bool Add(PutItem item);
  // Until nothing waits or is under way.
  void Drain();

 private:
  void Work();

  const AsyncPutsOptions options_;
  Executor& executor_;
  const Write write_;
  Mutex mutex_;
  CondVar changed_;
  std::deque<PutItem> queue_ GN_GUARDED_BY(mutex_);
  size_t bytes_ GN_GUARDED_BY(mutex_) = 0;
  size_t workers_ GN_GUARDED_BY(mutex_) = 0;
};

}  // namespace gauntlet::cache
