#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <latch>
#include <thread>

#include "base/memory.h"
#include "profile/builder.h"
#include "profile/heap.h"
#include "profile/sampler.h"
#include "profile/symbols.h"

#ifdef __has_feature  // clang's
#if __has_feature(thread_sanitizer)
#define GN_THREAD_SANITIZER
#endif
#elif defined(__SANITIZE_THREAD__)
#define GN_THREAD_SANITIZER
#endif

namespace gauntlet::profile {

std::atomic<uint64_t> g_sink{0};

// Named functions for the tests to find; not inlined, not merged.
__attribute__((noinline)) void BurnCpuForTest(const std::atomic<bool>& stop) {
  while (!stop.load(std::memory_order_relaxed)) {
    for (int i = 0; i < 1000; ++i) g_sink = g_sink * 3 + static_cast<uint64_t>(i);
  }
}

__attribute__((noinline)) void WaitForTest(std::latch& started, std::latch& done) {
  started.count_down();
  done.wait();
  ++g_sink;  // no tail call
}

namespace {

using testing::HasSubstr;

bool Contains(const Symbols& symbols, const std::vector<uintptr_t>& stack, std::string_view function) {
  for (uintptr_t address : stack) {
    if (symbols.Find(address).demangled.find(function) != std::string::npos) return true;
  }
  return false;
}

TEST(Symbols, NamesOwnAndSharedFunctions) {
  Symbols symbols = Symbols::Load();
  auto address = reinterpret_cast<uintptr_t>(&BurnCpuForTest);
  EXPECT_THAT(symbols.Find(address + 1).demangled, HasSubstr("gauntlet::profile::BurnCpuForTest("));
  EXPECT_THAT(symbols.Find(address + 1).name, testing::StartsWith("_ZN8gauntlet7profile"));
  EXPECT_LT(symbols.MappingOf(address), symbols.mappings().size());
  EXPECT_THAT(symbols.Find(reinterpret_cast<uintptr_t>(&std::fopen) + 1).name, HasSubstr("fopen"));
  EXPECT_EQ(symbols.Find(16).name, "");
}

TEST(Symbols, AnyCutOfAnImageIsRead) {
  std::ifstream file("testdata/fuzz/heap/tiny.elf", std::ios::binary);
  std::string image((std::istreambuf_iterator<char>(file)), {});
  ASSERT_FALSE(image.empty());
  std::string name;
  Symbols whole = Symbols::FromElf(image, 0);
  for (uintptr_t at = 0x400000; at < 0x403000 && name.empty(); ++at) name = whole.Find(at).name;
  EXPECT_FALSE(name.empty());
  for (size_t n = 0; n < image.size(); n += 7) (void)Symbols::FromElf(std::string_view(image).substr(0, n), 0);
}

TEST(CollectCpuProfile, FindsWhoUsesTheCpu) {
  std::atomic<bool> stop{false};
  std::thread burner([&] { BurnCpuForTest(stop); });
  auto profile = CollectCpuProfile(std::chrono::milliseconds(500), 200, Cancel());
  stop = true;
  burner.join();
  ASSERT_TRUE(profile.ok()) << profile.status().message();
  Symbols symbols = Symbols::Load();
  int64_t inside = 0, total = 0;
  for (const auto& sample : profile->samples) {
    total += sample.count;
    if (Contains(symbols, sample.stack, "BurnCpuForTest")) inside += sample.count;
  }
  EXPECT_GT(total, 0);
  EXPECT_GT(inside * 2, total);
  EXPECT_GE(profile->duration_ns, 500'000'000);
  EXPECT_GE(profile->period_ns, 5'000'000);
}

TEST(CollectCpuProfile, OneAtATimeAndEndsWithItsCancel) {
  CancelSource source;
  std::atomic<int> refused{0}, ended{0};
  std::latch both(2);
  auto collect = [&] {
    both.arrive_and_wait();
    auto profile = CollectCpuProfile(std::chrono::hours(1), 100, source.cancel());
    if (profile.ok()) {
      ++ended;
    } else {
      EXPECT_EQ(profile.status().code(), Code::kUnavailable);
      ++refused;
      source.Stop();
    }
  };
  std::thread a(collect), b(collect);
  a.join();
  b.join();
  EXPECT_EQ(refused, 1);
  EXPECT_EQ(ended, 1);
  EXPECT_EQ(CollectCpuProfile(std::chrono::milliseconds(1), 0, Cancel()).status().code(), Code::kInvalid);
}

TEST(CollectThreadStacks, ShowsWhereEveryThreadIs) {
#ifdef GN_THREAD_SANITIZER
  GTEST_SKIP() << "thread sanitizer holds signals back while a thread waits";
#endif
  std::latch started(3), done(1);
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) threads.emplace_back([&] { WaitForTest(started, done); });
  started.wait();
  auto stacks = CollectThreadStacks();
  done.count_down();
  for (auto& thread : threads) thread.join();
  ASSERT_TRUE(stacks.ok()) << stacks.status().message();
  EXPECT_GE(stacks->size(), 4u);
  Symbols symbols = Symbols::Load();
  int waiting = 0, self = 0;
  for (const auto& thread : *stacks) {
    EXPECT_FALSE(thread.name.empty());
    waiting += Contains(symbols, thread.stack, "WaitForTest");
    self += Contains(symbols, thread.stack, "profile::CollectThreadStacks()");
  }
  EXPECT_EQ(waiting, 3);
  EXPECT_EQ(self, 1);
}

TEST(ParseHeapProfile, ScalesSamplesToWhatTheyStandFor) {
  auto profile = ParseHeapProfile(
      "heap_v2/1000\n  t*: 3: 3000 [0: 0]\n  t0: 3: 3000 [0: 0]\n"
      "@ 0x11 0x21\n  t*: 2: 2000 [0: 0]\n  t0: 2: 2000 [0: 0]\n"
      "@ 0x31\n  t*: 1: 1000000 [5: 5]\n  t1: 1: 1000000 [5: 5]\n"
      "@ 0x41\n  t*: 0: 0 [0: 0]\n\nMAPPED_LIBRARIES:\n@ 0x51\n");
  ASSERT_TRUE(profile.ok()) << profile.status().message();
  ASSERT_EQ(profile->samples.size(), 2u);
  EXPECT_THAT(profile->samples[0].stack, testing::ElementsAre(0x10, 0x20));
  // 1 - 1/e of the allocations of 1000 bytes are sampled at one in 1000 bytes.
  EXPECT_EQ(profile->samples[0].live_objects, 3);
  EXPECT_EQ(profile->samples[0].live_bytes, 3164);
  EXPECT_EQ(profile->samples[1].live_bytes, 1000000);
}

TEST(ParseHeapProfile, RefusesOtherText) {
  for (const char* bad : {"", "heap profile: 1", "heap_v2/0\n", "heap_v2/x\n", "heap_v2/8\n@ 12\n",
                          "heap_v2/8\n@ 0x1\n t*: 1: x [0: 0]\n", "heap_v2/8\n@ 0x1\n t*: 9: 1 [0: 0]\n"}) {
    EXPECT_EQ(ParseHeapProfile(bad).status().code(), Code::kCorrupt) << bad;
  }
}

__attribute__((noinline)) std::unique_ptr<std::string> AllocateForTest(size_t bytes) {
  auto block = std::make_unique<std::string>(bytes, 'x');
  ++g_sink;
  return block;
}

TEST(TakeHeapProfile, FindsWhoHoldsMemory) {
  if (!HeapProfileActive()) {
    EXPECT_EQ(TakeHeapProfile().status().code(), Code::kUnsupported);
    GTEST_SKIP() << "built without jemalloc, or profiling is off";
  }
  auto block = AllocateForTest(64 << 20);
  auto profile = TakeHeapProfile();
  ASSERT_TRUE(profile.ok()) << profile.status().message();
  Symbols symbols = Symbols::Load();
  int64_t bytes = 0;
  for (const auto& sample : profile->samples) {
    if (Contains(symbols, sample.stack, "AllocateForTest")) bytes += sample.live_bytes;
  }
  EXPECT_GE(bytes, 64 << 20);
  EXPECT_LE(bytes, 80 << 20);  // the next size class
}

TEST(ProfileBuilder, IsReadByPprof) {
  if (std::system("go version >/dev/null 2>&1") != 0) GTEST_SKIP() << "go is not installed";
  Symbols symbols = Symbols::Load();
  ProfileBuilder builder({{"samples", "count"}, {"cpu", "nanoseconds"}});
  builder.SetPeriod({"cpu", "nanoseconds"}, 10'000'000);
  builder.SetTime(1'700'000'000'000'000'000, 2'000'000'000);
  std::vector<uintptr_t> stack = {reinterpret_cast<uintptr_t>(&BurnCpuForTest) + 1,
                                  reinterpret_cast<uintptr_t>(&WaitForTest) + 1};
  std::vector<int64_t> values = {150, 1'500'000'000};
  builder.AddSample(stack, values, {{"thread", "main"}});
  std::string path = testing::TempDir() + "/profile_test.pb", out = path + ".txt";
  std::ofstream(path, std::ios::binary) << builder.Encode(symbols);
  ASSERT_EQ(
      std::system(("PPROF_TMPDIR=/tmp go tool pprof -symbolize=none -top " + path + " >" + out + " 2>&1").c_str()), 0);
  std::ifstream file(out);
  std::string text((std::istreambuf_iterator<char>(file)), {});
  std::remove(path.c_str());
  std::remove(out.c_str());
  EXPECT_THAT(text, HasSubstr("Type: cpu"));
  EXPECT_THAT(text, HasSubstr("Duration: 2s, Total samples = 1.50s"));
  EXPECT_THAT(text, testing::ContainsRegex("1.50s +100% +100% +1.50s +100% +gauntlet::profile::BurnCpuForTest"));
  EXPECT_THAT(text, testing::ContainsRegex(" 0 +0% +100% +1.50s +100% +gauntlet::profile::WaitForTest"));
}

}  // namespace
}  // namespace gauntlet::profile
