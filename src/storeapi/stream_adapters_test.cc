#include "storeapi/stream_adapters.h"

#include <gtest/gtest.h>

#include "base/executor.h"
#include "base/memory_budget.h"
#include "storeapi/shard_filter.h"
#include "storeapi/testing/fake_store.h"

namespace gauntlet::storeapi {
namespace {

std::vector<FakeSeries> Numbered(int count) {
  std::vector<FakeSeries> series;
  for (int i = 0; i < count; ++i)
    series.push_back({MakeLabels({{"n", std::to_string(1000 + i).c_str()}}), {{i, "data"}}});
  return series;
}

CallContext ContextWith(const Cancel& cancel) {
  CallContext context;
  context.cancel = cancel;
  return context;
}

TEST(ReadAhead, GivesEverythingInOrderThroughASmallQueue) {
  ThreadPool pool("test", 2);
  FakeStore store(Numbered(500));
  auto call = std::make_shared<CancelSource>();
  auto stream = ReadAhead(store.Series({}, ContextWith(call->cancel())), call, pool, {3, 1 << 20});
  std::vector<std::string> lines = Drain(*stream);
  ASSERT_EQ(lines.size(), 500u);
  EXPECT_EQ(lines[499], R"({n="1499"} 499:data)");
}

TEST(ReadAhead, ErrorsComeAfterWhatWasRead) {
  ThreadPool pool("test", 2);
  FakeStore store(Numbered(10));
  store.FailAfter(4, Status(Code::kUnavailable, "gone"));
  auto call = std::make_shared<CancelSource>();
  auto stream = ReadAhead(store.Series({}, ContextWith(call->cancel())), call, pool, {});
  std::vector<std::string> lines = Drain(*stream);
  ASSERT_EQ(lines.size(), 5u);
  EXPECT_EQ(lines[4], "error: gone");
}

TEST(ReadAhead, AnAbandonedStreamStopsItsCall) {
  ThreadPool pool("test", 2);
  FakeStore store({});
  store.Hang();
  auto call = std::make_shared<CancelSource>();
  {
    auto stream = ReadAhead(store.Series({}, ContextWith(call->cancel())), call, pool, {});
  }
  EXPECT_TRUE(call->cancel().stopped());
}

TEST(KeepShard, ShardsPartitionTheSeries) {
  size_t total = 0;
  for (int64_t shard = 0; shard < 3; ++shard) {
    FakeStore store(Numbered(100));
    auto stream = KeepShard(store.Series({}, {}), ShardInfo{shard, 3, true, {"n"}});
    size_t n = Drain(*stream).size();
    EXPECT_GT(n, 10u);
    total += n;
  }
  EXPECT_EQ(total, 100u);
}

TEST(DropLabelsAndSort, SortsByWhatIsLeftAndChargesWhatItHolds) {
  std::vector<FakeSeries> series = {{MakeLabels({{"a", "1"}, {"z", "1"}}), {{1, "p"}}},
                                    {MakeLabels({{"a", "2"}, {"b", "1"}}), {{2, "q"}}},
                                    {MakeLabels({{"a", "3"}, {"b", "0"}}), {{3, "r"}}}};
  MemoryBudget budget("query", 1 << 20);
  {
    FakeStore store(series);
    auto stream = DropLabelsAndSort(store.Series({}, {}), {"a"}, &budget);
    EXPECT_EQ(Drain(*stream), (std::vector<std::string>{R"({b="0"} 3:r)", R"({b="1"} 2:q)", R"({z="1"} 1:p)"}));
    EXPECT_GT(budget.used_bytes(), 0u);
  }
  MemoryBudget small("query", 100);
  FakeStore store(series);
  auto stream = DropLabelsAndSort(store.Series({}, {}), {"a"}, &small);
  EXPECT_EQ(stream->Next().status().code(), Code::kExhausted);
}

TEST(EnforceLimits, CountsSeriesAndSamplesAsThanosDoes) {
  FakeStore store(Numbered(5));
  EXPECT_EQ(Drain(*EnforceLimits(store.Series({}, {}), 5, 600)).size(), 5u);
  EXPECT_EQ(Drain(*EnforceLimits(store.Series({}, {}), 4, 0)).back(),
            "error: exceeded series limit: limit 4 violated (got 5)");
  EXPECT_EQ(Drain(*EnforceLimits(store.Series({}, {}), 0, 599)).back(),
            "error: exceeded samples limit: limit 599 violated (got 600)");
}

}  // namespace
}  // namespace gauntlet::storeapi
