// NoSigpipe: writing to a peer that has gone is an error here, not a signal.
//
// Threads: for the thread that makes it.

#pragma once

#include <pthread.h>

#include <csignal>
#include <ctime>

namespace gauntlet::net {

// OpenSSL writes to sockets with write(2): while this lives, a peer that has gone does not raise SIGPIPE here.
class NoSigpipe {
 public:
  NoSigpipe() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~NoSigpipe() {
    if (sigismember(&before_, SIGPIPE) == 1) return;
    timespec now{};
    while (sigtimedwait(&pipe_, nullptr, &now) == SIGPIPE) {
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t pipe_, before_;
};

}  // namespace gauntlet::net
