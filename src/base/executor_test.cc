#include "base/executor.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <vector>

#include "base/mutex.h"

namespace gauntlet {
namespace {

TEST(ThreadPool, RunsEverythingBeforeItEnds) {
  std::atomic<int> ran{0};
  {
    ThreadPool pool("test", 4);
    for (int i = 0; i < 1000; ++i) pool.Run([&] { ran.fetch_add(1); });
  }
  EXPECT_EQ(ran.load(), 1000);
}

TEST(ThreadPool, ThreadsThatEndedForWantOfWorkAreJoinedAtTheEnd) {
  struct Over {
    Mutex mutex;
    CondVar changed;
    bool over GN_GUARDED_BY(mutex) = false;
  };
  // Says when its thread is over.
  struct Farewell {
    std::shared_ptr<Over> to;
    ~Farewell() {
      MutexLock lock(to->mutex);
      to->over = true;
      to->changed.NotifyAll();
    }
  };
  auto over = std::make_shared<Over>();
  ThreadPool pool("test", 4, std::chrono::milliseconds(0));
  pool.Run([over] { thread_local Farewell farewell{over}; });
  MutexLock lock(over->mutex);
  while (!over->over) over->changed.Wait(over->mutex);
}

TEST(ParallelFor, VisitsEachIndexOnce) {
  ThreadPool pool("test", 4);
  std::vector<std::atomic<int>> seen(5000);
  ParallelFor(pool, seen.size(), [&](size_t i) { seen[i].fetch_add(1); });
  for (auto& n : seen) EXPECT_EQ(n.load(), 1);
}

TEST(ParallelFor, NestedInABusyPoolStillEnds) {
  ThreadPool pool("test", 2);
  std::atomic<int> ran{0};
  ParallelFor(pool, 8, [&](size_t) { ParallelFor(pool, 8, [&](size_t) { ran.fetch_add(1); }); });
  EXPECT_EQ(ran.load(), 64);
}

}  // namespace
}  // namespace gauntlet
