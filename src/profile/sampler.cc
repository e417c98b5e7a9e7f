#include "profile/sampler.h"

#include <dirent.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>
#include <unwind.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <fstream>
#include <map>
#include <memory>

#include "base/mutex.h"

namespace gauntlet::profile {
namespace {

constexpr int kDepthMax = 100;
constexpr size_t kSlots = 1024;
constexpr auto kDrainEvery = std::chrono::milliseconds(50);
constexpr auto kThreadAnswers = std::chrono::milliseconds(200);

struct Slot {
  enum State : int { kFree, kFilling, kFull };
  std::atomic<int> state{kFree};
  int thread = 0;
  int depth = 0;
  uintptr_t stack[kDepthMax];
};

struct Buffer {
  Slot slots[kSlots];
  std::atomic<uint64_t> next{0};
  std::atomic<int64_t> dropped{0};
};

// What the handler fills; null: samples are not wanted.
std::atomic<Buffer*> g_buffer{nullptr};
std::atomic<int> g_handlers{0};  // that run now
Mutex g_mutex;                   // held by the one collection
bool g_busy GN_GUARDED_BY(g_mutex) = false;

constexpr int kHandlerFrames = 3;  // TakeSample, OnSignal, the signal's trampoline

struct Walk {
  Slot* slot;
  uintptr_t interrupted;  // where the thread was; the frames before it are the handler's
};

_Unwind_Reason_Code OnFrame(_Unwind_Context* context, void* argument) {
  auto* walk = static_cast<Walk*>(argument);
  int before = 0;  // set: the address is that of the instruction itself, as it is below a signal
  uintptr_t pc = _Unwind_GetIPInfo(context, &before);
  Slot& slot = *walk->slot;
  if (walk->interrupted != 0 && pc == walk->interrupted) {
    slot.depth = 0;
    walk->interrupted = 0;
  }
  if (pc == 0 || slot.depth == kDepthMax) return _URC_END_OF_STACK;
  slot.stack[slot.depth++] = before != 0 ? pc : pc - 1;
  return _URC_NO_REASON;
}

uintptr_t InterruptedAt(const void* context) {
  const auto* machine = &static_cast<const ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
  return static_cast<uintptr_t>(machine->gregs[REG_RIP]);
#elif defined(__aarch64__)
  return static_cast<uintptr_t>(machine->pc);
#else
#error "where does this machine keep the program counter?"
#endif
}

void TakeSample(Buffer& buffer, uintptr_t pc) {
  Slot& slot = buffer.slots[buffer.next.fetch_add(1, std::memory_order_relaxed) % kSlots];
  int expected = Slot::kFree;
  if (!slot.state.compare_exchange_strong(expected, Slot::kFilling, std::memory_order_acquire)) {
    buffer.dropped.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  slot.thread = static_cast<int>(syscall(SYS_gettid));
  slot.depth = 0;
  Walk walk{&slot, pc};
  _Unwind_Backtrace(&OnFrame, &walk);
  if (walk.interrupted != 0) {
    // The handler was called later than the signal came (thread sanitizer does so): take what is above it.
    slot.depth = std::max(slot.depth - kHandlerFrames, 0);
    std::copy(slot.stack + kHandlerFrames, slot.stack + kHandlerFrames + slot.depth, slot.stack);
  }
  if (slot.depth == 0) slot.stack[slot.depth++] = pc;
  slot.state.store(Slot::kFull, std::memory_order_release);
}

void OnSignal(int, siginfo_t*, void* context) {
  int saved = errno;
  g_handlers.fetch_add(1);
  if (Buffer* buffer = g_buffer.load()) TakeSample(*buffer, InterruptedAt(context));
  g_handlers.fetch_sub(1);
  errno = saved;
}

// The one collection of the process. The handler stays installed for good: a late signal must not meet the default
// action, which ends the process.
class Collection {
 public:
  static Result<std::unique_ptr<Collection>> Begin() {
    {
      MutexLock lock(g_mutex);
      if (g_busy) return Status(Code::kUnavailable, "a profile is being taken already");
      g_busy = true;
    }
    std::unique_ptr<Collection> made(new Collection);
    struct sigaction action{};
    action.sa_sigaction = &OnSignal;
    action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
    sigfillset(&action.sa_mask);
    if (sigaction(SIGPROF, &action, nullptr) != 0) return Status(Code::kInternal, "install the handler of SIGPROF");
    // The unwinder sets itself up at its first use, with locks: not inside a handler.
    Slot warm;
    Walk walk{&warm, 0};
    _Unwind_Backtrace(&OnFrame, &walk);
    g_buffer.store(&made->buffer_);
    return made;
  }

  ~Collection() {
    g_buffer.store(nullptr);
    while (g_handlers.load() != 0) usleep(100);
    MutexLock lock(g_mutex);
    g_busy = false;
  }

  template <typename F>
  void Drain(const F& take) {
    for (Slot& slot : buffer_.slots) {
      if (slot.state.load(std::memory_order_acquire) != Slot::kFull) continue;
      take(slot);
      slot.state.store(Slot::kFree, std::memory_order_release);
    }
  }
  int64_t dropped() const { return buffer_.dropped.load(); }

 private:
  Collection() = default;
  Buffer buffer_;
};

int64_t CpuNs() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

void SetTimer(int hertz) {
  itimerval timer{};
  if (hertz > 0) timer.it_interval.tv_usec = timer.it_value.tv_usec = hertz == 1 ? 999'999 : 1'000'000 / hertz;
  setitimer(ITIMER_PROF, &timer, nullptr);
}

std::vector<int> ThreadIds() {
  std::vector<int> ids;
  DIR* dir = opendir("/proc/self/task");
  if (dir == nullptr) return ids;
  while (const dirent* entry = readdir(dir)) {
    if (entry->d_name[0] != '.') ids.push_back(std::atoi(entry->d_name));
  }
  closedir(dir);
  std::sort(ids.begin(), ids.end());
  return ids;
}

struct ThreadInfo : ThreadStack {
  bool deaf = false;  // blocks SIGPROF: jemalloc's own threads do
};

ThreadInfo Describe(int id) {
  ThreadInfo thread;
  thread.id = id;
  std::string directory = "/proc/self/task/" + std::to_string(id);
  std::ifstream comm(directory + "/comm"), stat(directory + "/stat"), status(directory + "/status");
  std::getline(comm, thread.name);
  std::string line;
  std::getline(stat, line);
  size_t at = line.rfind(") ");
  if (at != std::string::npos && at + 2 < line.size()) thread.state = line[at + 2];
  while (std::getline(status, line)) {
    if (line.starts_with("SigBlk:")) {
      thread.deaf = (std::strtoull(line.c_str() + 7, nullptr, 16) >> (SIGPROF - 1) & 1) != 0;
    }
  }
  return thread;
}

}  // namespace

Result<CpuProfile> CollectCpuProfile(std::chrono::milliseconds duration, int hertz, const Cancel& cancel) {
  if (hertz < 1 || hertz > 1000) return Status(Code::kInvalid, "profile rate is not between 1 and 1000");
  GN_ASSIGN(std::unique_ptr<Collection> collection, Collection::Begin());
  CpuProfile profile;
  std::map<std::vector<uintptr_t>, int64_t> counts;
  int64_t total = 0;
  auto take = [&](const Slot& slot) {
    ++counts[std::vector<uintptr_t>(slot.stack, slot.stack + slot.depth)];
    ++total;
  };
  profile.start_unix_ns = std::chrono::system_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
  auto start = std::chrono::steady_clock::now();
  int64_t cpu_start = CpuNs();
  SetTimer(hertz);
  for (auto now = start; !cancel.stopped() && now < start + duration; now = std::chrono::steady_clock::now()) {
    auto left = std::chrono::duration_cast<std::chrono::microseconds>(start + duration - now);
    usleep(
        static_cast<useconds_t>(std::min<int64_t>(left.count() + 1, std::chrono::microseconds(kDrainEvery).count())));
    collection->Drain(take);
  }
  SetTimer(0);
  int64_t cpu_ns = CpuNs() - cpu_start;
  profile.duration_ns = (std::chrono::steady_clock::now() - start) / std::chrono::nanoseconds(1);
  profile.dropped = collection->dropped();
  collection.reset();
  // The kernel's tick bounds how many signals there are on machines with many busy cores: then each stands for more.
  profile.period_ns = 1'000'000'000 / hertz;
  if (total > 0) profile.period_ns = std::max(profile.period_ns, cpu_ns / (total + profile.dropped));
  for (auto& [stack, count] : counts) profile.samples.push_back({stack, count});
  return profile;
}

Result<std::vector<ThreadStack>> CollectThreadStacks() {
  GN_ASSIGN(std::unique_ptr<Collection> collection, Collection::Begin());
  std::map<int, ThreadInfo> threads;
  for (int id : ThreadIds()) threads[id] = Describe(id);
  // In groups, so that answers always find room.
  auto next = threads.begin();
  while (next != threads.end()) {
    size_t waiting = 0;
    for (; next != threads.end() && waiting < kSlots / 2; ++next) {
      if (!next->second.deaf && syscall(SYS_tgkill, getpid(), next->first, SIGPROF) == 0) ++waiting;
    }
    auto until = std::chrono::steady_clock::now() + kThreadAnswers;
    while (waiting > 0 && std::chrono::steady_clock::now() < until) {
      collection->Drain([&](const Slot& slot) {
        auto found = threads.find(slot.thread);
        if (found == threads.end() || !found->second.stack.empty()) return;
        found->second.stack.assign(slot.stack, slot.stack + slot.depth);
        --waiting;
      });
      if (waiting > 0) usleep(1000);
    }
  }
  std::vector<ThreadStack> all;
  for (auto& [id, thread] : threads) all.push_back(std::move(thread));
  return all;
}

}  // namespace gauntlet::profile
