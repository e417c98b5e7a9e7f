#include "server/gate.h"

#include <gtest/gtest.h>

#include <optional>
#include <thread>

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

TEST(Gate, WithoutWidthEverybodyIsIn) {
  telemetry::Registry registry;
  Gate gate(0, "test", registry);
  auto a = gate.Enter(Cancel()), b = gate.Enter(Cancel());
  EXPECT_TRUE(a.ok() && b.ok());
}

}  // namespace
}  // namespace gauntlet::server
