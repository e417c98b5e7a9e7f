// Signals: how the process is asked to stop or to reload.
//
// Threads: make it before any thread starts; WaitForStop is for one thread.

#pragma once

#include <functional>
#include <string>

#include "base/cancel.h"

namespace gauntlet::server {

class Signals {
 public:
  // Blocks SIGINT, SIGTERM and SIGHUP in this thread and those that it starts from now on; ignores SIGPIPE.
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // Until SIGINT or SIGTERM: returns its name; or until `cancel` ends: returns "". Each SIGHUP calls `on_hangup`, on
  // this thread.
  std::string WaitForStop(const Cancel& cancel, const std::function<void()>& on_hangup);

 private:
  int signal_fd_, wake_fd_;
};

}  // namespace gauntlet::server
