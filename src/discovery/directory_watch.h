// DirectoryWatch: wakes up when something in one of some directories changes (Linux' inotify).
//
// Directories are watched, not files: files are replaced by renaming, and mounted config maps by switching a link.
// Threads: one thread at a time.

#pragma once

#include <chrono>
#include <map>
#include <set>
#include <string>

#include "base/cancel.h"
#include "base/status.h"

namespace gauntlet::discovery {

class DirectoryWatch {
 public:
  DirectoryWatch();
  ~DirectoryWatch();
  DirectoryWatch(const DirectoryWatch&) = delete;
  DirectoryWatch& operator=(const DirectoryWatch&) = delete;

  // Watches these from now on and no others. The first error is returned, for one that does not exist for instance;
  // call again to try again. Without inotify all is an error, and Wait just waits.
  Status Watch(const std::set<std::string>& directories);
  // True when something changed, false at `until` or the end of `cancel`.
  bool Wait(std::chrono::steady_clock::time_point until, const Cancel& cancel);

 private:
  bool Drain();

  int events_ = -1, wake_ = -1;
  std::map<std::string, int> watches_;
};

}  // namespace gauntlet::discovery
