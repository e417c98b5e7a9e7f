// Breaks in the middle of anything, other compactors on the same bucket, and work that goes on beside other work.
#include <gtest/gtest.h>

#include "base/mutex.h"
#include "compactor/testing/damaged_bucket.h"

namespace gauntlet::compactor {
namespace {

class InterruptionTest : public DamageTest {};

// Every call to the bucket fails from the n-th on, as if the process had been killed there; then it runs again.
TEST_F(InterruptionTest, BrokenOffAnywhereItEndsInTheSameBucket) {
  auto result = [](BucketFixture& f) {
    std::map<Ulid, std::vector<Ulid>> left;
    for (const auto& [id, meta] : f.Unmarked()) left[id] = meta.block.compaction.sources;
    return left;
  };
  std::map<std::string, std::string> start;
  PutGroup(kEu);
  BlockSpec overlap;
  overlap.external = kEu;
  overlap.series = {{{"__name__", "up"}, {"job", "b"}}};
  overlap.mint = kTestStart + 2 * kHour;
  overlap.maxt = kTestStart + 4 * kHour;
  f_.Put(overlap);
  start = f_.bucket().objects();
  const auto samples = f_.Samples();
  NodeOptions options = f_.Options();
  options.runner.vertical = true;
  int calls = 0;
  f_.bucket().SetFault([&](std::string_view, const std::string&) {
    ++calls;
    return Status();
  });
  ASSERT_TRUE(Iterate(options).ok());
  f_.bucket().SetFault(nullptr);
  const auto expected = result(f_);
  ASSERT_EQ(expected.size(), 2u);
  const int total = calls;
  for (int n = 1; n < total; n += 1 + total / 40) {
    SCOPED_TRACE(n);
    BucketFixture g;
    for (const auto& [name, bytes] : start) ASSERT_TRUE(objstore::WriteObject(g.bucket(), name, bytes, Cancel()).ok());
    std::atomic<int> at{0};
    g.bucket().SetFault([&](std::string_view, const std::string&) {
      return ++at >= n ? Status(Code::kUnavailable, "killed") : Status();
    });
    NodeOptions again = g.Options();
    again.runner.vertical = true;
    telemetry::Registry first, second;
    if (auto node = g.MakeNode(again, first); node != nullptr) (void)node->compactor().Iterate(Cancel());
    g.bucket().SetFault(nullptr);
    auto node = g.MakeNode(again, second);
    Status status = node->compactor().Iterate(Cancel());
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(result(g), expected);
    EXPECT_TRUE(node->quarantine().marks().empty());
    if (n % 3 == 1) EXPECT_EQ(g.Samples(), samples);
  }
}

// Without leases, another compactor does everything while this one is about to.
TEST_F(InterruptionTest, SecondCompactorInTheMiddleOfTheFirstDoesNoHarm) {
  PutGroup(kEu);
  const auto samples = f_.Samples();
  NodeOptions options = f_.Options(), other_options = f_.Options();
  options.leases = other_options.leases = false;
  other_options.data_dir += "-other";
  for (const char* when : {"get", "upload", "exists"}) {
    SCOPED_TRACE(when);
    BucketFixture g;
    for (const auto& [name, bytes] : f_.bucket().objects())
      ASSERT_TRUE(objstore::WriteObject(g.bucket(), name, bytes, Cancel()).ok());
    std::atomic<bool> done{false};
    telemetry::Registry mine, theirs;
    NodeOptions a = g.Options(), b = g.Options();
    a.leases = b.leases = false;
    b.data_dir += "-other";
    auto first = g.MakeNode(a, mine), second = g.MakeNode(b, theirs);
    std::atomic<int> at{0};
    g.bucket().SetFault([&](std::string_view operation, const std::string&) {
      if (operation == when && ++at == 5 && !done.exchange(true)) {
        EXPECT_TRUE(second->compactor().Iterate(Cancel()).ok());
      }
      return Status();
    });
    (void)first->compactor().Iterate(Cancel());  // may find that its view is old
    g.bucket().SetFault(nullptr);
    Status status = first->compactor().Iterate(Cancel());
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(g.Unmarked().size(), 2u);
    EXPECT_TRUE(first->quarantine().marks().empty());
    EXPECT_EQ(g.Samples(), samples);
  }
}

TEST_F(InterruptionTest, GroupThatSomebodyElseWorksOnIsLeftToHim) {
  PutGroup(kEu);
  PutGroup(kUs);
  Leases other(f_.bucket(), "other", std::chrono::minutes(5), f_.clock(), telemetry::Logger::Discard());
  auto lease = other.Take("0@10215758682207145076", Cancel());  // eu
  ASSERT_TRUE(lease.ok() && *lease != nullptr);
  ASSERT_TRUE(Iterate(f_.Options()).ok());
  EXPECT_EQ(Sum("thanos_compact_group_compactions_total"), 1);
  lease->reset();
  ASSERT_TRUE(Iterate(f_.Options()).ok());
  EXPECT_EQ(Sum("thanos_compact_group_compactions_total"), 1);
  EXPECT_EQ(f_.Unmarked().size(), 4u);
}

// The merge waits until a block has been downsampled, which it would wait for in vain if that came after it.
TEST_F(InterruptionTest, DownsamplingDoesNotWaitForALongCompaction) {
  const std::vector<Ulid> ids = PutGroup(kEu);
  BlockSpec spec;
  spec.series = {{{"job", "a"}}};
  spec.mint = kTestStart;
  spec.maxt = kTestStart + 48 * kHour;
  spec.external = kUs;
  const Ulid raw = f_.Put(spec);
  // A result's id has the time of its newest source.
  auto time_of = [](const Ulid& id) { return id.ToString().substr(0, 10); };
  const std::string merged = time_of(ids[3]), downsampled = time_of(raw);
  Mutex mutex;
  CondVar changed;
  bool done = false;
  f_.bucket().SetFault([&](std::string_view operation, const std::string& name) {
    if (operation != "upload") return Status();
    MutexLock lock(mutex);
    if (name.starts_with(downsampled) && name.ends_with("/meta.json")) {
      done = true;
      changed.NotifyAll();
    }
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!done && name.starts_with(merged) && name.ends_with("/index")) {
      if (!changed.WaitUntil(mutex, until)) return Status(Code::kDeadline, "nothing was downsampled meanwhile");
    }
    return Status();
  });
  NodeOptions options = f_.Options();
  options.loop.patience = std::chrono::milliseconds(1);
  Status status = Iterate(options);
  f_.bucket().SetFault(nullptr);
  EXPECT_TRUE(status.ok()) << status.message();
  EXPECT_TRUE(done);
  EXPECT_EQ(Sum("thanos_compact_group_compactions_total"), 1);
  EXPECT_EQ(Sum("thanos_compact_downsample_total"), 1);
}

TEST_F(InterruptionTest, RetentionAndCleaningGoOnWhileTheBucketTroublesOneGroup) {
  const std::vector<Ulid> eu = PutGroup(kEu);
  PutGroup(kUs);
  f_.bucket().SetFault([&](std::string_view operation, const std::string& name) {
    return operation.starts_with("get") && name == eu[2].ToString() + "/index" ? Status(Code::kUnavailable, "slow down")
                                                                               : Status();
  });
  NodeOptions options = f_.Options();
  options.loop.retention = {{0, std::chrono::hours(24)}};
  Status status = Iterate(options);
  EXPECT_EQ(status.code(), Code::kUnavailable);  // to be tried again
  EXPECT_TRUE(node_->quarantine().marks().empty());
  EXPECT_EQ(Sum("thanos_compact_group_compactions_total"), 1);
  EXPECT_TRUE(f_.Unmarked().empty());  // all of it is 20 days old
}

}  // namespace
}  // namespace gauntlet::compactor
