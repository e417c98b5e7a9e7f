// Executor: where threads come from. ThreadPool is the real one; InlineExecutor runs tasks on the caller.

#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace gauntlet {

// Thread-safe. Tasks must not throw.
class Executor {
 public:
  virtual ~Executor() = default;
  virtual void Run(std::function<void()> task) = 0;
  // How many tasks make progress at once; at least 1.
  virtual size_t width() const = 0;
};

class InlineExecutor : public Executor {
 public:
  void Run(std::function<void()> task) override { task(); }
  size_t width() const override { return 1; }
};

// Up to `threads_max` threads, started when a task finds none idle and ended after a while without work, so that
// blocking handlers (one thread each) and an idle server (no threads) both fit. Destruction runs what is queued, then
// joins.
class ThreadPool : public Executor {
 public:
  // A thread without work for `idle_max` ends.
  ThreadPool(std::string name, size_t threads_max, std::chrono::milliseconds idle_max = std::chrono::seconds(30));
  ~ThreadPool() override;
  void Run(std::function<void()> task) override;
  size_t width() const override;

 private:
  class Rep;
  std::unique_ptr<Rep> rep_;
};

// Runs body(0) .. body(count - 1), some of them on `executor`, and returns when all are done. The caller takes part, so
// it never waits for a pool that is busy with callers like itself.
void ParallelFor(Executor& executor, size_t count, const std::function<void(size_t)>& body);

}  // namespace gauntlet
