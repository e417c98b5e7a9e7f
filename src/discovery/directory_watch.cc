#include "discovery/directory_watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace gauntlet::discovery {
namespace {

constexpr uint32_t kChanges = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR;

Status InotifyError(const std::string& doing) {
  return {Code::kUnavailable, doing + ": " + std::system_category().message(errno)};
}

}  // namespace

DirectoryWatch::DirectoryWatch()
    : events_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)), wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

DirectoryWatch::~DirectoryWatch() {
  if (events_ >= 0) close(events_);
  if (wake_ >= 0) close(wake_);
}

Status DirectoryWatch::Watch(const std::set<std::string>& directories) {
  if (events_ < 0) return {Code::kUnavailable, "watch directories: inotify cannot be used"};
  for (auto at = watches_.begin(); at != watches_.end();) {
    if (directories.contains(at->first)) {
      ++at;
      continue;
    }
    inotify_rm_watch(events_, at->second);
    at = watches_.erase(at);
  }
  Status first;
  for (const auto& directory : directories) {
    if (watches_.contains(directory)) continue;
    int watch = inotify_add_watch(events_, directory.empty() ? "." : directory.c_str(), kChanges);
    if (watch >= 0) {
      watches_[directory] = watch;
    } else if (first.ok()) {
      first = InotifyError("watch " + directory);
    }
  }
  return first;
}

bool DirectoryWatch::Wait(std::chrono::steady_clock::time_point until, const Cancel& cancel) {
  using std::chrono::milliseconds;
  auto registration = cancel.OnStop([fd = wake_] {
    uint64_t one = 1;
    [[maybe_unused]] ssize_t n = write(fd, &one, sizeof one);
  });
  if (cancel.deadline()) until = std::min(until, *cancel.deadline());
  while (!cancel.stopped()) {
    auto left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    pollfd polled[2] = {{events_, POLLIN, 0}, {wake_, POLLIN, 0}};
    poll(polled, 2, static_cast<int>(std::min<int64_t>(left.count(), 3'600'000)));
    uint64_t woken;
    if (polled[1].revents != 0 && read(wake_, &woken, sizeof woken) < 0) continue;
    if (polled[0].revents != 0 && Drain()) return true;
  }
  return false;
}

bool DirectoryWatch::Drain() {
  alignas(inotify_event) char buffer[16 << 10];
  bool any = false;
  for (ssize_t n; (n = read(events_, buffer, sizeof buffer)) > 0;) {
    any = true;
    for (const char* at = buffer; at < buffer + n;) {
      const auto* event = reinterpret_cast<const inotify_event*>(at);
      if ((event->mask & IN_IGNORED) != 0) {  // the directory has gone: Watch may find a new one
        std::erase_if(watches_, [&](const auto& watch) { return watch.second == event->wd; });
      }
      at += sizeof(inotify_event) + event->len;
    }
  }
  return any;
}

}  // namespace gauntlet::discovery
