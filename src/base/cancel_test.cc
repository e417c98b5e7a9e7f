#include "base/cancel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace gauntlet {
namespace {

TEST(Cancel, DefaultNeverStops) {
  Cancel cancel;
  EXPECT_FALSE(cancel.stopped());
  EXPECT_TRUE(cancel.status().ok());
  EXPECT_FALSE(cancel.deadline().has_value());
}

TEST(Cancel, StopReachesChildrenWithItsReason) {
  CancelSource parent;
  CancelSource child(parent.cancel());
  parent.Stop(Status(Code::kCancelled, "client went away"));
  EXPECT_TRUE(child.cancel().stopped());
  EXPECT_EQ(child.cancel().status().message(), "client went away");
}

TEST(Cancel, ChildDoesNotStopItsParent) {
  CancelSource parent;
  CancelSource child(parent.cancel());
  child.Stop();
  EXPECT_FALSE(parent.cancel().stopped());
}

TEST(Cancel, ChildOfStoppedParentIsBornStopped) {
  CancelSource parent;
  parent.Stop();
  EXPECT_TRUE(CancelSource(parent.cancel()).cancel().stopped());
}

TEST(Cancel, DeadlineIsTheEarlierOne) {
  CancelSource parent(Cancel(), std::chrono::milliseconds(0));
  CancelSource child(parent.cancel(), std::chrono::hours(1));
  EXPECT_EQ(child.cancel().status().code(), Code::kDeadline);
}

TEST(Cancel, CallbackRunsOnceOnStopAndNotAfterRemoval) {
  CancelSource source;
  int kept = 0, dropped = 0;
  auto keep = source.cancel().OnStop([&] { ++kept; });
  {
    auto drop = source.cancel().OnStop([&] { ++dropped; });
  }
  source.Stop();
  source.Stop();
  EXPECT_EQ(kept, 1);
  EXPECT_EQ(dropped, 0);
  auto late = source.cancel().OnStop([&] { ++kept; });
  EXPECT_EQ(kept, 2);
}

TEST(Cancel, RemovalRacesWithStopSafely) {
  for (int i = 0; i < 200; ++i) {
    CancelSource source;
    auto alive = std::make_unique<std::atomic<int>>(0);
    auto registration = source.cancel().OnStop([&] { alive->fetch_add(1); });
    std::thread stopper([&] { source.Stop(); });
    registration.Reset();
    alive.reset();
    stopper.join();
  }
}

}  // namespace
}  // namespace gauntlet
