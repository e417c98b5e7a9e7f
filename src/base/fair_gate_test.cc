#include "base/fair_gate.h"

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <thread>

namespace gauntlet {
namespace {

TEST(FairGate, LetsSoManyInAndTheNextWhenOneLeaves) {
  FairGate gate(2);
  auto one = gate.Enter(Cancel());
  std::optional<FairGate::Pass> two(*gate.Enter(Cancel()));
  std::atomic<bool> left = false, before = false;
  std::thread third([&] {
    auto pass = gate.Enter(Cancel());
    before = !left;
  });
  left = true;
  two.reset();
  third.join();
  EXPECT_TRUE(one.ok());
  EXPECT_FALSE(before);
}

TEST(FairGate, WaitingEndsWithTheCancelAndWithTheDeadlineAndLeavesTheLine) {
  FairGate gate(1);
  std::optional<FairGate::Pass> inside(*gate.Enter(Cancel()));
  CancelSource deadline(Cancel(), std::chrono::milliseconds(10));
  EXPECT_EQ(gate.Enter(deadline.cancel()).status().code(), Code::kDeadline);
  CancelSource source;
  std::thread stopper([&] { source.Stop(); });
  EXPECT_EQ(gate.Enter(source.cancel()).status().code(), Code::kCancelled);
  stopper.join();
  inside.reset();
  EXPECT_TRUE(gate.Enter(Cancel()).ok());
}

TEST(FairGate, WithoutPlacesEverybodyIsIn) {
  FairGate gate(0);
  auto a = gate.Enter(Cancel()), b = gate.Enter(Cancel());
  EXPECT_TRUE(a.ok() && b.ok());
}

}  // namespace
}  // namespace gauntlet
