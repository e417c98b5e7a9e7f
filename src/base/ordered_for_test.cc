#include "base/ordered_for.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "base/executor.h"

namespace gauntlet {
namespace {

TEST(OrderedFor, TakesEachPieceOnceInOrder) {
  InlineExecutor caller;
  ThreadPool pool("test", 3);
  for (Executor* executor : {static_cast<Executor*>(&caller), static_cast<Executor*>(&pool)}) {
    for (size_t slots : {1, 2, 7}) {
      std::vector<size_t> made(slots), taken;
      std::atomic<size_t> calls{0};
      OrderedFor(
          *executor, 500, slots,
          [&](size_t slot, size_t i) {
            made[slot] = i * i;
            ++calls;
          },
          [&](size_t slot, size_t i) {
            taken.push_back(i);
            EXPECT_EQ(made[slot], i * i);
            return true;
          });
      EXPECT_EQ(calls, 500u);
      ASSERT_EQ(taken.size(), 500u);
      for (size_t i = 0; i < 500; ++i) ASSERT_EQ(taken[i], i);
    }
  }
}

TEST(OrderedFor, NothingRunsOnceItHasEndedEarly) {
  ThreadPool pool("test", 3);
  for (int round = 0; round < 50; ++round) {
    auto running = std::make_shared<std::atomic<int>>(0);
    bool ended = false;
    OrderedFor(
        pool, 100, 4,
        [&](size_t, size_t) {
          ++*running;
          EXPECT_FALSE(ended);
          --*running;
        },
        [](size_t, size_t i) { return i < 5; });
    EXPECT_EQ(*running, 0);
    ended = true;
  }
}

TEST(OrderedFor, NeedsNoThreadOfTheExecutor) {
  // All threads of the pool wait for what the caller makes.
  ThreadPool pool("test", 1);
  std::atomic<bool> go{false};
  pool.Run([&] { go.wait(false); });
  size_t taken = 0;
  OrderedFor(pool, 10, 3, [](size_t, size_t) {}, [&](size_t, size_t) { return ++taken > 0; });
  EXPECT_EQ(taken, 10u);
  go = true;
  go.notify_all();
}

// Its first task is under way before Run returns.
class EagerPool : public Executor {
 public:
  void Run(std::function<void()> task) override {
    pool_.Run(std::move(task));
    begun_.wait(false);
  }
  size_t width() const override { return 1; }
  void Begin() {
    begun_ = true;
    begun_.notify_all();
  }

 private:
  std::atomic<bool> begun_{false};
  ThreadPool pool_{"test", 1};
};

TEST(OrderedFor, TheCallerMakesTheNextPiecesWhileAThreadIsAtTheFirst) {
  EagerPool pool;
  std::atomic<bool> others_made{false};
  int made = 0;
  OrderedFor(
      pool, 4, 4,
      [&](size_t, size_t i) {
        if (i == 0) {
          pool.Begin();
          others_made.wait(false);
        } else if (++made == 3) {
          others_made = true;
          others_made.notify_all();
        }
      },
      [](size_t, size_t) { return true; });
  EXPECT_EQ(made, 3);
}

}  // namespace
}  // namespace gauntlet
