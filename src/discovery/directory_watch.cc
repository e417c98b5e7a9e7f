#include "discovery/directory_watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <system_error>

#include "io/path.h"

namespace gauntlet::discovery {
namespace {

constexpr uint32_t kChanges =
    IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_MOVE_SELF | IN_ONLYDIR;

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

void DirectoryWatch::Forget(int watch) {
  bool used = std::any_of(watches_.begin(), watches_.end(), [&](const auto& other) { return other.second == watch; });
  if (!used) inotify_rm_watch(events_, watch);
}

Status DirectoryWatch::Watch(const std::set<std::string>& directories) {
  if (events_ < 0) return {Code::kUnavailable, "watch directories: inotify cannot be used"};
  for (auto at = watches_.begin(); at != watches_.end();) {
    if (directories.contains(at->first)) {
      ++at;
      continue;
    }
    int watch = at->second;
    at = watches_.erase(at);
    Forget(watch);
  }
  Status first;
  for (const auto& directory : directories) {
    // Of a directory that is watched already, this is the watch that there is.
    int watch = inotify_add_watch(events_, directory.empty() ? "." : directory.c_str(), kChanges);
    if (watch < 0 && first.ok()) first = InotifyError("watch " + directory);
    auto known = watches_.find(directory);
    if (known != watches_.end() && known->second != watch) {
      int old = known->second;
      watches_.erase(known);
      Forget(old);
    }
    if (watch >= 0) watches_[directory] = watch;
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
    for (const char* at = buffer; at < buffer + n;) {
      const auto* event = reinterpret_cast<const inotify_event*>(at);
      bool watched =
          (event->mask & IN_Q_OVERFLOW) != 0 ||  // some were lost
          std::any_of(watches_.begin(), watches_.end(), [&](const auto& watch) { return watch.second == event->wd; });
      any = any || watched;
      seen_ += watched;
      if ((event->mask & IN_IGNORED) != 0) {  // the directory has gone: Watch may find a new one
        std::erase_if(watches_, [&](const auto& watch) { return watch.second == event->wd; });
      }
      at += sizeof(inotify_event) + event->len;
    }
  }
  return any;
}

std::set<std::string> DirectoriesOnTheWay(const std::string& path) {
  constexpr int kLinksMax = 40;  // Linux' own limit
  std::set<std::string> directories;
  std::string done = path.starts_with('/') ? "/" : "", left = path;
  for (int links = 0; links <= kLinksMax;) {
    left.erase(0, left.find_first_not_of('/'));
    size_t end = std::min(left.find('/'), left.size());
    std::string name = left.substr(0, end);
    std::string here = done.empty() ? "." : done;
    if (name.empty()) break;
    char target[PATH_MAX];
    std::string full = io::JoinPath(done, name);
    ssize_t n = readlink(full.c_str(), target, sizeof target);
    left.erase(0, end);
    if (n >= 0) {
      ++links;
      directories.insert(here);
      left.insert(0, target, static_cast<size_t>(n));
      if (left.starts_with('/')) done = "/";
      continue;
    }
    if (left.find_first_not_of('/') == std::string::npos) {
      directories.insert(here);
      break;
    }
    done = std::move(full);
  }
  return directories;
}

}  // namespace gauntlet::discovery
