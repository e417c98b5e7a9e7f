#include "server/gate.h"

#include <gtest/gtest.h>

#include <optional>
#include <thread>
#include <vector>

#include "base/mutex.h"

namespace gauntlet::server {
namespace {

TEST(Gate, LetsSoManyInAndTheNextWhenOneLeaves) {
  telemetry::Registry registry;
  Gate gate(2, "test", registry);
  auto one = gate.Enter(Cancel());
  std::optional<Gate::Pass> two(*gate.Enter(Cancel()));
  EXPECT_NE(registry.Expose(false).find("test_gate_queries_in_flight 2"), std::string::npos);
  EXPECT_NE(registry.Expose(false).find("test_gate_queries_max 2"), std::string::npos);
  bool entered = false;
  std::thread third([&] { entered = gate.Enter(Cancel()).ok(); });
  two.reset();
  third.join();
  EXPECT_TRUE(entered);
}

TEST(Gate, WaitingEndsWithTheCancelAndWithTheDeadline) {
  telemetry::Registry registry;
  Gate gate(1, "test", registry);
  auto inside = gate.Enter(Cancel());
  CancelSource deadline(Cancel(), std::chrono::milliseconds(10));
  EXPECT_EQ(gate.Enter(deadline.cancel()).status().code(), Code::kDeadline);
  CancelSource source;
  std::thread stopper([&] { source.Stop(); });
  EXPECT_EQ(gate.Enter(source.cancel()).status().code(), Code::kCancelled);
  stopper.join();
}

TEST(Gate, WaitersComeInInTheirOrder) {
  constexpr int kWaiters = 8;
  telemetry::Registry registry;
  Gate gate(1, "test", registry);
  std::optional<Gate::Pass> inside(*gate.Enter(Cancel()));
  Mutex mutex;
  std::vector<int> order;
  std::vector<std::thread> threads;
  for (int i = 0; i < kWaiters; ++i) {
    threads.emplace_back([&, i] {
      auto pass = gate.Enter(Cancel());
      MutexLock lock(mutex);
      order.push_back(i);
    });
    while (gate.waiting() < static_cast<size_t>(i + 1)) std::this_thread::yield();
  }
  inside.reset();
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7}));
}

TEST(Gate, WhoGivesUpLeavesItsPlaceInTheQueue) {
  telemetry::Registry registry;
  Gate gate(1, "test", registry);
  std::optional<Gate::Pass> inside(*gate.Enter(Cancel()));
  CancelSource source;
  Status refused;
  std::thread first([&] { refused = gate.Enter(source.cancel()).status(); });
  while (gate.waiting() < 1) std::this_thread::yield();
  bool entered = false;
  std::thread second([&] { entered = gate.Enter(Cancel()).ok(); });
  while (gate.waiting() < 2) std::this_thread::yield();
  source.Stop();
  first.join();
  EXPECT_EQ(refused.code(), Code::kCancelled);
  EXPECT_NE(refused.message().find("1 places (test_gate)"), std::string::npos) << refused.message();
  inside.reset();
  second.join();
  EXPECT_TRUE(entered);
}

TEST(Gate, WithoutWidthEverybodyIsIn) {
  telemetry::Registry registry;
  Gate gate(0, "test", registry);
  auto a = gate.Enter(Cancel()), b = gate.Enter(Cancel());
  EXPECT_TRUE(a.ok() && b.ok());
}

}  // namespace
}  // namespace gauntlet::server
