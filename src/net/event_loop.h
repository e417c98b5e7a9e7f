// EventLoop: one thread that waits for sockets and timers and runs what is posted to it.
//
// Owns a Boost.Asio io_context; LoopTimer and LoopSocket give what most code needs of it without Asio's headers.
// Threads: EventLoop is thread-safe. LoopTimer and LoopSocket belong to the loop's thread, and to their owner alone
//          once the loop has stopped.

#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/status.h"

namespace boost::asio {
class io_context;
}

namespace gauntlet::net {

class EventLoop {
 public:
  static Result<std::unique_ptr<EventLoop>> Start(const std::string& name);
  // The loop of the process's clients: started for its first user, ended with its last.
  static Result<std::shared_ptr<EventLoop>> Shared();
  // Stops; what is still queued is destroyed without having run. REQUIRES: not on the loop's own thread.
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Runs `task` on the loop, in the order of the posts. Tasks must not block and must not throw.
  void Post(std::function<void()> task);
  // Runs `task` on the loop and returns when it is done; false if the loop stopped without running it.
  bool Call(std::function<void()> task);
  // Ends the thread; nothing runs on the loop after this returns.
  void Stop();
  bool InLoop() const;
  boost::asio::io_context& context();

 private:
  class Rep;
  explicit EventLoop(std::unique_ptr<Rep> rep);
  std::unique_ptr<Rep> rep_;
};

// One alarm at a time. Its callback never runs after Cancel, another At, or the destruction.
class LoopTimer {
 public:
  explicit LoopTimer(EventLoop& loop);
  ~LoopTimer();
  LoopTimer(const LoopTimer&) = delete;
  LoopTimer& operator=(const LoopTimer&) = delete;

  void At(std::chrono::steady_clock::time_point when, std::function<void()> callback);
  void After(std::chrono::milliseconds delay, std::function<void()> callback);
  void Cancel();
  bool pending() const;

 private:
  class Rep;
  std::shared_ptr<Rep> rep_;
};

// Owns a non-blocking socket and tells when it can be read or written. A callback never runs after Close or the
// destruction; an error or hang-up counts as ready, and shows in the read or write that follows.
class LoopSocket {
 public:
  // Takes `fd`; closes it on error too.
  static Result<std::unique_ptr<LoopSocket>> Adopt(EventLoop& loop, int fd);
  ~LoopSocket();
  LoopSocket(const LoopSocket&) = delete;
  LoopSocket& operator=(const LoopSocket&) = delete;

  int fd() const;  // -1 once closed
  // One wait in each direction at a time; a second call while one is outstanding replaces its callback.
  void WaitReadable(std::function<void()> callback);
  void WaitWritable(std::function<void()> callback);
  void Close();

 private:
  class Rep;
  explicit LoopSocket(std::shared_ptr<Rep> rep);
  std::shared_ptr<Rep> rep_;
};

}  // namespace gauntlet::net
