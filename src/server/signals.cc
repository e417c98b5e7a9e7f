#include "server/signals.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>

#include "base/check.h"

namespace gauntlet::server {

Signals::Signals() {
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  for (int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, number);
  GN_CHECK(pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0);
  signal_fd_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  wake_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  GN_CHECK(signal_fd_ >= 0 && wake_fd_ >= 0);
}

Signals::~Signals() {
  close(signal_fd_);
  close(wake_fd_);
}

std::string Signals::WaitForStop(const Cancel& cancel, const std::function<void()>& on_hangup) {
  auto registration = cancel.OnStop([this] { eventfd_write(wake_fd_, 1); });
  while (!cancel.stopped()) {
    pollfd fds[2] = {{signal_fd_, POLLIN, 0}, {wake_fd_, POLLIN, 0}};
    int timeout_ms = -1;
    if (auto deadline = cancel.deadline()) {
      auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - std::chrono::steady_clock::now());
      timeout_ms = static_cast<int>(std::clamp<int64_t>(left.count(), 0, 60'000));
    }
    if (poll(fds, 2, timeout_ms) <= 0) continue;
    // Of this wait, or left over from one before.
    eventfd_t wakes = 0;
    if (fds[1].revents != 0) static_cast<void>(eventfd_read(wake_fd_, &wakes));
    signalfd_siginfo info;
    while (read(signal_fd_, &info, sizeof(info)) == sizeof(info)) {
      if (info.ssi_signo == SIGINT) return "SIGINT";
      if (info.ssi_signo == SIGTERM) return "SIGTERM";
      if (info.ssi_signo == SIGHUP && on_hangup) on_hangup();
    }
  }
  return "";
}

}  // namespace gauntlet::server
