// DirectoryWatch: wakes up when something in one of some directories changes (Linux' inotify).
//
// Directories are watched, not files: files are replaced by renaming, and mounted config maps by switching a link.
// Threads: one thread at a time.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
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

  // Watches these from now on and no others; one that was replaced by another of its name is watched anew. The first
  // error is returned, for one that does not exist for instance; call again to try again. Without inotify all is an
  // error, and Wait just waits.
  Status Watch(const std::set<std::string>& directories);
  // True when something changed, false at `until` or the end of `cancel`.
  bool Wait(std::chrono::steady_clock::time_point until, const Cancel& cancel);

  size_t size() const { return watches_.size(); }  // directories watched
  uint64_t events() const { return seen_; }        // changes seen so far

 private:
  void Forget(int watch);
  bool Drain();

  int events_ = -1, wake_ = -1;
  uint64_t seen_ = 0;
  std::map<std::string, int> watches_;  // two names of one directory have the same
};

// The directories in which a change may alter what `path` leads to: that of the file, and those of all links on the
// way.
// "/etc/p.yml" -> "/config/..data/p.yml", "/config/..data" -> "..1": "/etc", "/config" and "/config/..1".
std::set<std::string> DirectoriesOnTheWay(const std::string& path);

}  // namespace gauntlet::discovery
