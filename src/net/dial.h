// Dial: connects a socket to "host:port" without blocking: looks the name up, then tries its addresses in turn.
//
// Threads: the event loop's.

#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/status.h"
#include "net/event_loop.h"

namespace gauntlet::net {

class Dial {
 public:
  using Done = std::function<void(Result<std::unique_ptr<LoopSocket>>)>;

  // `done` is called once, never from within this constructor, unless the Dial is destroyed first. It may destroy the
  // Dial. Errors say "connect ADDRESS: what".
  Dial(EventLoop& loop, const std::string& address, std::chrono::milliseconds timeout, Done done);
  ~Dial();
  Dial(const Dial&) = delete;
  Dial& operator=(const Dial&) = delete;

 private:
  class Rep;
  std::shared_ptr<Rep> rep_;
};

}  // namespace gauntlet::net
