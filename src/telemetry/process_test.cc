#include "telemetry/process.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <latch>
#include <thread>

#include "base/memory.h"
#include "telemetry/build_info.h"

namespace gauntlet::telemetry {
namespace {

using testing::HasSubstr;

TEST(ProcessStats, FollowsWhatTheProcessDoes) {
  ProcessStats before = ReadProcessStats();
  EXPECT_GT(before.resident_bytes, 1u << 20);
  EXPECT_GT(before.virtual_bytes, before.resident_bytes);
  EXPECT_GT(before.main_stack_bytes, 0u);
  EXPECT_GT(before.max_fds, before.open_fds);
  double now = static_cast<double>(time(nullptr));
  EXPECT_GT(before.start_unix_seconds, now - 3600);
  EXPECT_LT(before.start_unix_seconds, now + 5);

  int fd = open("/dev/null", O_RDONLY);
  std::latch started(1), done(1);
  std::thread thread([&] {
    started.count_down();
    done.wait();
  });
  started.wait();
  volatile uint64_t sink = 0;
  while (ReadProcessStats().cpu_seconds == before.cpu_seconds) sink = sink + 1;
  ProcessStats after = ReadProcessStats();
  EXPECT_EQ(after.open_fds, before.open_fds + 1);
  EXPECT_EQ(after.threads, before.threads + 1);
  EXPECT_GT(after.cpu_seconds, before.cpu_seconds);
  done.count_down();
  thread.join();
  close(fd);
}

TEST(RegisterProcess, ExposesTheNamesThatDashboardsRead) {
  Registry registry;
  RegisterProcess(registry);
  RegisterBuildInfo(registry, "thanos");
  std::string text = registry.Expose(false);
  for (const char* line :
       {"\n# TYPE process_cpu_seconds_total counter\n", "\nprocess_resident_memory_bytes ",
        "\nprocess_start_time_seconds ", "\nprocess_open_fds ", "\ngo_goroutines ", "\ngo_memstats_stack_inuse_bytes ",
        "\n# TYPE go_gc_duration_seconds summary\n", "\ngo_gc_duration_seconds{quantile=\"0.5\"} 0\n",
        "\ngo_gc_duration_seconds_count 0\n", "\ngo_info{version=\"", "\nthanos_build_info{branch=\""}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  EXPECT_THAT(text, HasSubstr("\",version=\"" + ThisBuild().version + "\"} 1\n"));
  if (!ReadAllocatorStats()) GTEST_SKIP() << "built without jemalloc";
  for (const char* line :
       {"\ngo_memstats_alloc_bytes ", "\n# TYPE go_memstats_alloc_bytes_total counter\ngo_memstats_alloc_bytes_total ",
        "\ngo_memstats_heap_alloc_bytes ", "\ngo_memstats_heap_inuse_bytes "}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

}  // namespace
}  // namespace gauntlet::telemetry
