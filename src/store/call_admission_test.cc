#include "store/call_admission.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace gauntlet::store {
namespace {

using Places = std::vector<std::unique_ptr<CallAdmission::Place>>;

void Await(const CallAdmission& admission, size_t waiting) {
  while (admission.waiting() != waiting) std::this_thread::yield();
}

TEST(CallAdmission, LetsInWhatMayFitAndRefusesTheNextWithAReason) {
  MemoryBudget process("process", 1000);
  CallAdmission admission(&process, 300);
  Places inside;
  for (int i = 0; i < 3; ++i) inside.push_back(*admission.Enter(Cancel()));
  CancelSource source(Cancel(), std::chrono::milliseconds(1));
  auto fourth = admission.Enter(source.cancel());
  ASSERT_FALSE(fourth.ok());
  EXPECT_EQ(fourth.status().code(), Code::kDeadline);
  EXPECT_NE(fourth.status().message().find("0 of 1000 bytes used by 3 calls"), std::string::npos)
      << fourth.status().message();
  inside.pop_back();
  EXPECT_TRUE(admission.Enter(Cancel()).ok());
}

TEST(CallAdmission, WhatACallHoldsBeyondTheExpectedCounts) {
  MemoryBudget process("process", 1000);
  CallAdmission admission(&process, 300);
  auto large = *admission.Enter(Cancel());
  MemoryCharge charge(large->memory().get(), "chunks");
  ASSERT_TRUE(charge.Set(701).ok());
  CancelSource source(Cancel(), std::chrono::milliseconds(1));
  EXPECT_FALSE(admission.Enter(source.cancel()).ok());
  ASSERT_TRUE(charge.Set(700).ok());
  EXPECT_TRUE(admission.Enter(Cancel()).ok());
}

TEST(CallAdmission, WhatOthersOfTheProcessHoldCounts) {
  MemoryBudget process("process", 1000);
  MemoryCharge cache(&process, "cache");
  ASSERT_TRUE(cache.Set(500).ok());
  CallAdmission admission(&process, 300);
  auto one = *admission.Enter(Cancel());
  CancelSource source(Cancel(), std::chrono::milliseconds(1));
  EXPECT_FALSE(admission.Enter(source.cancel()).ok());
}

TEST(CallAdmission, OneAloneComesInHoweverLittleRoomThereIs) {
  MemoryBudget process("process", 10);
  CallAdmission admission(&process, 300);
  EXPECT_TRUE(admission.Enter(Cancel()).ok());
}

TEST(CallAdmission, WithoutALimitAllComeIn) {
  MemoryBudget process("process", 0);
  CallAdmission with(&process, 300), without(nullptr, 300);
  Places inside;
  for (int i = 0; i < 10; ++i) {
    inside.push_back(*with.Enter(Cancel()));
    inside.push_back(*without.Enter(Cancel()));
  }
  EXPECT_EQ(inside.size(), 20u);
}

TEST(CallAdmission, WaitersComeInInTheirOrderAndOneWhoGivesUpHoldsNobody) {
  MemoryBudget process("process", 300);
  CallAdmission admission(&process, 300);
  auto inside = *admission.Enter(Cancel());
  Mutex mutex;
  std::vector<int> order;
  std::vector<std::thread> threads;
  CancelSource impatient;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&, i] {
      auto place = admission.Enter(i == 0 ? impatient.cancel() : Cancel());
      if (!place.ok()) return;
      MutexLock lock(mutex);
      order.push_back(i);
    });
    Await(admission, static_cast<size_t>(i + 1));
  }
  impatient.Stop();
  Await(admission, 5);
  inside.reset();
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3, 4, 5}));
}

TEST(CallAdmission, MemoryMayOutliveItsCall) {
  MemoryBudget process("process", 1000);
  CallAdmission admission(&process, 300);
  auto place = *admission.Enter(Cancel());
  std::shared_ptr<MemoryBudget> memory = place->memory();
  MemoryCharge charge(memory.get(), "chunks");
  ASSERT_TRUE(charge.Set(100).ok());
  place.reset();
  EXPECT_EQ(process.used_bytes(), 100u);
}

}  // namespace
}  // namespace gauntlet::store
