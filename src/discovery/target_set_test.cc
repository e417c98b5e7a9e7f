#include "discovery/target_set.h"

#include <gtest/gtest.h>

namespace gauntlet::discovery {
namespace {

using Addresses = TargetSet::Addresses;

TEST(TargetSet, KeepsOrderAndDropsDuplicates) {
  TargetSet set;
  EXPECT_TRUE(set.Set({"b", "a", "b"}));
  EXPECT_EQ(set.Get(), (Addresses{"b", "a"}));
}

TEST(TargetSet, TellsChangesOfTheSetOnly) {
  TargetSet set;
  set.Set({"a", "b"});
  std::vector<Addresses> seen;
  auto subscription = set.OnChange([&](const Addresses& addresses) { seen.push_back(addresses); });
  EXPECT_FALSE(set.Set({"b", "a"}));
  EXPECT_TRUE(set.Set({"b"}));
  EXPECT_TRUE(set.Set({"b", "c"}));
  subscription.Reset();
  EXPECT_TRUE(set.Set({}));
  EXPECT_EQ(seen, (std::vector<Addresses>{{"a", "b"}, {"b"}, {"b", "c"}}));
}

TEST(TargetSet, SubscriptionMayOutliveTheSet) {
  TargetSet::Subscription subscription;
  {
    TargetSet set;
    subscription = set.OnChange([](const Addresses&) {});
  }
  subscription.Reset();
}

}  // namespace
}  // namespace gauntlet::discovery
