#include "telemetry/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <string_view>
#include <thread>

#include "base/memory.h"
#include "telemetry/build_info.h"

namespace gauntlet::telemetry {
namespace {

std::string ReadProc(const char* path) {
  std::string text;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return text;
  char buffer[4096];
  for (ssize_t n; (n = read(fd, buffer, sizeof(buffer))) > 0;) text.append(buffer, static_cast<size_t>(n));
  close(fd);
  return text;
}

uint64_t Number(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_of("0123456789"), text.size()));
  uint64_t n = 0;
  std::from_chars(text.data(), text.data() + text.size(), n);
  return n;
}

// The number after "\nKEY" in the text of a /proc file.
uint64_t NumberAfter(std::string_view text, std::string_view key) {
  size_t at = text.find(key);
  return at == std::string_view::npos ? 0 : Number(text.substr(at + key.size()));
}

uint64_t CountOpenFds() {
  DIR* dir = opendir("/proc/self/fd");
  if (dir == nullptr) return 0;
  uint64_t count = 0;
  while (const dirent* entry = readdir(dir)) count += entry->d_name[0] != '.';
  closedir(dir);
  return count - 1;  // the directory itself
}

// Field 22 of /proc/self/stat counts ticks since boot; the name in field 2 may hold spaces and brackets.
double StartUnixSeconds() {
  std::string stat = ReadProc("/proc/self/stat");
  size_t at = stat.rfind(')');
  for (int field = 2; field < 22 && at != std::string::npos; ++field) at = stat.find(' ', at + 1);
  if (at == std::string::npos) return 0;
  uint64_t boot = NumberAfter(ReadProc("/proc/stat"), "\nbtime ");
  return static_cast<double>(boot) +
         static_cast<double>(Number(std::string_view(stat).substr(at))) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

void AddGauge(Registry& registry, std::string name, std::string help, double (*read)(const ProcessStats&),
              std::string type = "gauge") {
  registry.MakeCollected(std::move(name), std::move(help), std::move(type),
                         [read] { return std::vector<Sample>{{"", {}, read(ReadProcessStats())}}; });
}

// A sample of what the allocator counts, or none without jemalloc.
void AddAllocator(Registry& registry, std::string name, std::string help, double (*read)(const AllocatorStats&),
                  std::string type = "gauge") {
  registry.MakeCollected(std::move(name), std::move(help), std::move(type), [read]() -> std::vector<Sample> {
    auto stats = ReadAllocatorStats();
    if (!stats) return {};
    return {{"", {}, read(*stats)}};
  });
}

void RegisterProcessFamilies(Registry& registry) {
  using P = const ProcessStats&;
  AddGauge(
      registry, "process_cpu_seconds_total", "Total user and system CPU time spent in seconds.",
      [](P p) { return p.cpu_seconds; }, "counter");
  AddGauge(registry, "process_start_time_seconds", "Start time of the process since unix epoch in seconds.",
           [](P p) { return p.start_unix_seconds; });
  AddGauge(registry, "process_resident_memory_bytes", "Resident memory size in bytes.",
           [](P p) { return static_cast<double>(p.resident_bytes); });
  AddGauge(registry, "process_virtual_memory_bytes", "Virtual memory size in bytes.",
           [](P p) { return static_cast<double>(p.virtual_bytes); });
  AddGauge(registry, "process_virtual_memory_max_bytes", "Maximum amount of virtual memory available in bytes.", [](P) {
    rlimit limit{};
    getrlimit(RLIMIT_AS, &limit);
    return static_cast<double>(limit.rlim_cur);
  });
  AddGauge(registry, "process_open_fds", "Number of open file descriptors.",
           [](P p) { return static_cast<double>(p.open_fds); });
  AddGauge(registry, "process_max_fds", "Maximum number of open file descriptors.",
           [](P p) { return static_cast<double>(p.max_fds); });
}

void RegisterGoNames(Registry& registry) {
  using P = const ProcessStats&;
  using A = const AllocatorStats&;
  AddGauge(registry, "go_goroutines", "Number of threads (this process has no goroutines).",
           [](P p) { return static_cast<double>(p.threads); });
  AddGauge(registry, "go_threads", "Number of OS threads.", [](P p) { return static_cast<double>(p.threads); });
  AddGauge(registry, "go_sched_gomaxprocs_threads", "Number of CPUs that may be used at once.",
           [](P) { return static_cast<double>(std::thread::hardware_concurrency()); });
  AddGauge(registry, "go_memstats_stack_inuse_bytes",
           "Bytes of the main thread's stack; stacks of other threads are counted as resident memory only.",
           [](P p) { return static_cast<double>(p.main_stack_bytes); });
  for (const char* name : {"go_memstats_alloc_bytes", "go_memstats_heap_alloc_bytes"}) {
    AddAllocator(registry, name, "Number of bytes allocated and still in use.",
                 [](A a) { return static_cast<double>(a.allocated_bytes); });
  }
  AddAllocator(
      registry, "go_memstats_alloc_bytes_total", "Total number of bytes allocated, even if freed.",
      [](A a) { return static_cast<double>(a.allocated_total_bytes); }, "counter");
  AddAllocator(registry, "go_memstats_heap_inuse_bytes", "Bytes of the pages that hold at least one allocation.",
               [](A a) { return static_cast<double>(a.active_bytes); });
  AddAllocator(registry, "go_memstats_heap_idle_bytes", "Bytes of the heap's pages that hold no allocation.", [](A a) {
    return static_cast<double>(a.mapped_bytes > a.active_bytes ? a.mapped_bytes - a.active_bytes : 0);
  });
  AddAllocator(registry, "go_memstats_heap_released_bytes", "Bytes given back to the system, address space kept.",
               [](A a) { return static_cast<double>(a.retained_bytes); });
  AddAllocator(registry, "go_memstats_heap_sys_bytes", "Bytes of the heap's address space.",
               [](A a) { return static_cast<double>(a.mapped_bytes + a.retained_bytes); });
  AddAllocator(registry, "go_memstats_sys_bytes", "Bytes of address space that the allocator obtained.",
               [](A a) { return static_cast<double>(a.mapped_bytes + a.retained_bytes); });
  registry.MakeCollected("go_gc_duration_seconds", "Always 0: this process has no garbage collector.", "summary", [] {
    std::vector<Sample> samples;
    for (const char* quantile : {"0", "0.25", "0.5", "0.75", "1"}) samples.push_back({"", {{"quantile", quantile}}, 0});
    samples.push_back({"_sum", {}, 0});
    samples.push_back({"_count", {}, 0});
    return samples;
  });
  registry.MakeGauges("go_info", "Information about the language environment: here the C++ compiler.", {"version"})
      .With({ThisBuild().compiler})
      .Set(1);
}

}  // namespace

ProcessStats ReadProcessStats() {
  ProcessStats stats;
  timespec cpu{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
  stats.cpu_seconds = static_cast<double>(cpu.tv_sec) + static_cast<double>(cpu.tv_nsec) / 1e9;
  static const double kStart = StartUnixSeconds();
  stats.start_unix_seconds = kStart;
  std::string status = ReadProc("/proc/self/status");
  stats.resident_bytes = NumberAfter(status, "\nVmRSS:") * 1024;
  stats.virtual_bytes = NumberAfter(status, "\nVmSize:") * 1024;
  stats.main_stack_bytes = NumberAfter(status, "\nVmStk:") * 1024;
  stats.threads = NumberAfter(status, "\nThreads:");
  stats.open_fds = CountOpenFds();
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  stats.max_fds = limit.rlim_cur;
  return stats;
}

void RegisterProcess(Registry& registry) {
  RegisterProcessFamilies(registry);
  RegisterGoNames(registry);
}

}  // namespace gauntlet::telemetry
