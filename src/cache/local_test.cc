// What needs no server: the cache in memory, writing in the background, the circuit breaker, batches.

#include <gtest/gtest.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "cache/async_puts.h"
#include "cache/circuit_breaker.h"
#include "cache/get_batches.h"
#include "cache/memory_cache.h"
#include "cache/near_cache.h"

namespace gauntlet::cache {
namespace {

using std::chrono::seconds;

class MemoryCacheTest : public ::testing::Test {
 protected:
  CachedBytes Get(MemoryCache& cache, const std::string& key) {
    return cache.Get(std::vector<std::string>{key}, Cancel())[0];
  }
  double Metric(const std::string& name) {
    std::string text = registry_.Expose(false), line = "thanos_cache_inmemory_" + name + "{name=\"test\"} ";
    size_t at = text.find(line);
    return at == std::string::npos ? -1 : std::stod(text.substr(at + line.size()));
  }
  telemetry::Registry registry_;
  SimulatedClock clock_{1'000'000};
};

TEST_F(MemoryCacheTest, KeepsValuesForTheirTime) {
  MemoryCache cache({}, "test", registry_, clock_);
  cache.Put("a", "1", seconds(10));
  cache.Put("a", "2", seconds(10));  // the first stays
  ASSERT_NE(Get(cache, "a"), nullptr);
  EXPECT_EQ(*Get(cache, "a"), "1");
  clock_.Advance(seconds(11));
  EXPECT_EQ(Get(cache, "a"), nullptr);
  EXPECT_EQ(Metric("hits_on_expired_data_total"), 1);
  EXPECT_EQ(Metric("items"), 0);
  cache.Put("a", "3", seconds(10));
  EXPECT_EQ(*Get(cache, "a"), "3");
  EXPECT_EQ(Metric("requests_total"), 4);
  EXPECT_EQ(Metric("hits_total"), 3);
}

TEST_F(MemoryCacheTest, StaysBelowItsSizeAndDropsWhatWasUsedLongestAgo) {
  MemoryConfig config;
  config.max_size = 16 * 10'000;
  config.max_item_size = 5000;
  MemoryCache cache(config, "test", registry_, clock_);
  cache.Put("large", std::string(5001, 'x'), seconds(10));
  EXPECT_EQ(Metric("items_overflowed_total"), 1);
  for (int i = 0; i < 1000; ++i) {
    cache.Put(std::to_string(i), std::string(1000, 'x'), seconds(10));
    EXPECT_LE(cache.used_bytes(), config.max_size);
  }
  EXPECT_NE(Get(cache, "999"), nullptr);
  EXPECT_EQ(Get(cache, "0"), nullptr);
  EXPECT_GT(Metric("items_evicted_total"), 800);
  EXPECT_EQ(Metric("items_added_total"), 1000);
}

// A cache whose questions are counted.
class FarCache final : public Cache {
 public:
  explicit FarCache(std::vector<std::string>* asked) : asked_(asked) {}
  std::vector<CachedBytes> Get(std::span<const std::string> keys, const Cancel&) override {
    std::vector<CachedBytes> values;
    for (const std::string& key : keys) {
      asked_->push_back(key);
      auto at = values_.find(key);
      values.push_back(at == values_.end() ? nullptr : std::make_shared<const std::string>(at->second));
    }
    return values;
  }
  void Put(std::string key, std::string value, seconds) override { values_[std::move(key)] = std::move(value); }

 private:
  std::vector<std::string>* const asked_;
  std::map<std::string, std::string> values_;
};

TEST_F(MemoryCacheTest, WhatAFarCacheGaveIsNotAskedAgainForAWhile) {
  std::vector<std::string> asked;
  auto far = std::make_unique<FarCache>(&asked);
  far->Put("b", "2", seconds(100));
  NearCache cache(std::make_unique<MemoryCache>(MemoryConfig{}, "test", registry_, clock_), std::move(far),
                  seconds(60));
  cache.Put("a", "1", seconds(1000));
  const std::vector<std::string> keys = {"a", "b", "c"};
  auto expect = [&](const std::vector<std::string>& far_asked) {
    asked.clear();
    std::vector<CachedBytes> got = cache.Get(keys, Cancel());
    ASSERT_EQ(got.size(), 3u);
    EXPECT_EQ(*got[0], "1");
    EXPECT_EQ(*got[1], "2");
    EXPECT_EQ(got[2], nullptr);
    EXPECT_EQ(asked, far_asked);
  };
  expect({"b", "c"});
  expect({"c"});
  clock_.Advance(seconds(61));
  expect({"a", "b", "c"});
}

TEST(AsyncPuts, WritesAllInBatches) {
  ThreadPool pool("test", 4);
  std::mutex mutex;
  std::map<std::string, std::string> written;
  AsyncPutsOptions options;
  options.batch_items_max = 7;
  AsyncPuts puts(options, pool, [&](std::vector<PutItem> batch) {
    EXPECT_LE(batch.size(), 7u);
    std::lock_guard lock(mutex);
    for (PutItem& item : batch) written[item.key] = item.value;
  });
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(puts.Add({std::to_string(i), "v", seconds(1)}));
  puts.Drain();
  EXPECT_EQ(written.size(), 1000u);
}

TEST(AsyncPuts, IsBoundedInItemsAndBytes) {
  ThreadPool pool("test", 4);
  std::mutex mutex;
  std::condition_variable changed;
  bool open = false, busy = false;
  AsyncPutsOptions options;
  options.concurrency = 1;
  options.items_max = 3;
  options.bytes_max = 1000;
  AsyncPuts puts(options, pool, [&](const std::vector<PutItem>&) {
    std::unique_lock lock(mutex);
    busy = true;
    changed.notify_all();
    changed.wait(lock, [&] { return open; });
  });
  EXPECT_TRUE(puts.Add({"first", "v", seconds(1)}));
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return busy; });
  }
  EXPECT_FALSE(puts.Add({"large", std::string(1000, 'x'), seconds(1)}));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(puts.Add({"k", "v", seconds(1)}));
  EXPECT_FALSE(puts.Add({"k", "v", seconds(1)}));
  std::lock_guard lock(mutex);
  open = true;
  changed.notify_all();
}

TEST(CircuitBreaker, OpensAfterFailuresAndClosesAfterSuccesses) {
  CircuitBreakerOptions options;
  options.enabled = true;
  options.min_requests = 4;
  options.consecutive_failures = 3;
  options.failure_percent = 1;
  options.half_open_max_requests = 2;
  CircuitBreaker breaker(options);
  CircuitBreaker::TimePoint now{};
  EXPECT_TRUE(breaker.Allows(now));
  breaker.Tell(false, now);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(breaker.Allows(now));
    breaker.Tell(true, now);
  }
  EXPECT_FALSE(breaker.Allows(now));
  now += seconds(5);
  EXPECT_TRUE(breaker.Allows(now));
  EXPECT_TRUE(breaker.Allows(now));
  EXPECT_FALSE(breaker.Allows(now));  // two may try
  breaker.Tell(true, now);
  EXPECT_FALSE(breaker.Allows(now));
  now += seconds(5);
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(breaker.Allows(now));
    breaker.Tell(false, now);
  }
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(breaker.Allows(now));
}

TEST(CircuitBreaker, IsOffUnlessAskedFor) {
  CircuitBreaker breaker({});
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(breaker.Allows({}));
    breaker.Tell(true, {});
  }
}

TEST(GetBatches, PutKeysOfOneServerTogether) {
  std::vector<std::string> keys = {"a0", "b1", "c0", "d-", "e0", "f1"};
  auto batches = SplitByServer(
      keys, 2, 2, [](const std::string& key) { return key[1] == '-' ? kNoServer : static_cast<size_t>(key[1] - '0'); });
  ASSERT_EQ(batches.size(), 3u);
  EXPECT_EQ(batches[0].keys, (std::vector<size_t>{0, 2}));
  EXPECT_EQ(batches[1].keys, (std::vector<size_t>{1, 5}));
  EXPECT_EQ(batches[2].keys, (std::vector<size_t>{4}));
}

}  // namespace
}  // namespace gauntlet::cache
