#include "net/event_loop.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <thread>
#include <utility>

#include "base/check.h"
#include "base/mutex.h"

namespace gauntlet::net {
namespace asio = boost::asio;

class EventLoop::Rep {
 public:
  // The timer makes Asio open its descriptors now, where running out of them is an answer.
  Rep() : context_(1), work_(context_.get_executor()) { asio::steady_timer opens_reactor(context_); }

  void Begin(const std::string& name) {
    // The thread inherits the mask: a broken connection is an error of its write there, and the signals that end or
    // reload the process go to the thread that waits for them.
    sigset_t blocked, before;
    sigemptyset(&blocked);
    for (int signal : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2}) sigaddset(&blocked, signal);
    pthread_sigmask(SIG_BLOCK, &blocked, &before);
    thread_ = std::thread([this] {
      context_.run();
      MutexLock lock(mutex_);
      ended_ = true;
      changed_.NotifyAll();
    });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    pthread_setname_np(thread_.native_handle(), name.substr(0, 15).c_str());
  }

  void Stop() {
    context_.stop();
    MutexLock lock(join_mutex_);
    if (!thread_.joinable()) return;
    GN_CHECK(!InLoop());
    thread_.join();
  }

  bool Call(std::function<void()> task) {
    GN_CHECK(!InLoop());
    auto done = std::make_shared<bool>(false);  // outlives this call if the loop stops first
    asio::post(context_, [this, done, task = std::move(task)] {
      task();
      MutexLock lock(mutex_);
      *done = true;
      changed_.NotifyAll();
    });
    MutexLock lock(mutex_);
    while (!*done && !ended_) changed_.Wait(mutex_);
    return *done;
  }

  bool InLoop() const { return context_.get_executor().running_in_this_thread(); }

  mutable asio::io_context context_;

 private:
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  Mutex join_mutex_;
  std::thread thread_;
  Mutex mutex_;
  CondVar changed_;
  bool ended_ GN_GUARDED_BY(mutex_) = false;
};

EventLoop::EventLoop(std::unique_ptr<Rep> rep) : rep_(std::move(rep)) {}

EventLoop::~EventLoop() { Stop(); }

Result<std::unique_ptr<EventLoop>> EventLoop::Start(const std::string& name) {
  try {
    auto rep = std::make_unique<Rep>();
    rep->Begin(name);
    return std::unique_ptr<EventLoop>(new EventLoop(std::move(rep)));
  } catch (const std::exception& e) {
    return Status(Code::kExhausted, "start event loop " + name + ": " + e.what());
  }
}

Result<std::shared_ptr<EventLoop>> EventLoop::Shared() {
  static Mutex mutex;
  static std::weak_ptr<EventLoop> shared;
  MutexLock lock(mutex);
  if (auto loop = shared.lock()) return loop;
  GN_ASSIGN(auto fresh, Start("net-client"));
  std::shared_ptr<EventLoop> loop = std::move(fresh);
  shared = loop;
  return loop;
}

void EventLoop::Post(std::function<void()> task) { asio::post(rep_->context_, std::move(task)); }

bool EventLoop::Call(std::function<void()> task) { return rep_->Call(std::move(task)); }

void EventLoop::Stop() { rep_->Stop(); }

bool EventLoop::InLoop() const { return rep_->InLoop(); }

asio::io_context& EventLoop::context() { return rep_->context_; }

// ---- LoopTimer ------------------------------------------------------------------------------------------------------

// A handler that Asio has already queued cannot be taken back: it finds its generation passed instead.
class LoopTimer::Rep : public std::enable_shared_from_this<LoopTimer::Rep> {
 public:
  explicit Rep(asio::io_context& context) : timer_(context) {}

  void At(std::chrono::steady_clock::time_point when, std::function<void()> callback) {
    ++generation_;
    callback_ = std::move(callback);
    timer_.expires_at(when);
    timer_.async_wait([self = shared_from_this(), mine = generation_](boost::system::error_code) {
      if (mine != self->generation_ || !self->callback_) return;
      std::exchange(self->callback_, nullptr)();
    });
  }

  void Cancel() {
    if (!callback_) return;
    ++generation_;
    callback_ = nullptr;
    timer_.cancel();
  }

  bool pending() const { return callback_ != nullptr; }

 private:
  asio::steady_timer timer_;
  uint64_t generation_ = 0;
  std::function<void()> callback_;
};

LoopTimer::LoopTimer(EventLoop& loop) : rep_(std::make_shared<Rep>(loop.context())) {}

LoopTimer::~LoopTimer() { rep_->Cancel(); }

void LoopTimer::At(std::chrono::steady_clock::time_point when, std::function<void()> callback) {
  rep_->At(when, std::move(callback));
}

void LoopTimer::After(std::chrono::milliseconds delay, std::function<void()> callback) {
  rep_->At(std::chrono::steady_clock::now() + delay, std::move(callback));
}

void LoopTimer::Cancel() { rep_->Cancel(); }

bool LoopTimer::pending() const { return rep_->pending(); }

// ---- LoopSocket -----------------------------------------------------------------------------------------------------

class LoopSocket::Rep : public std::enable_shared_from_this<LoopSocket::Rep> {
 public:
  explicit Rep(asio::io_context& context) : descriptor_(context) {}

  void Assign(int fd) { descriptor_.assign(fd); }
  int fd() { return descriptor_.is_open() ? descriptor_.native_handle() : -1; }

  void Wait(asio::posix::stream_descriptor::wait_type what, std::function<void()>& slot,
            std::function<void()> callback) {
    bool outstanding = slot != nullptr;
    slot = std::move(callback);
    if (outstanding || !descriptor_.is_open()) return;
    descriptor_.async_wait(what, [self = shared_from_this(), &slot](boost::system::error_code) {
      if (!self->descriptor_.is_open() || !slot) return;
      std::exchange(slot, nullptr)();
    });
  }

  void Close() {
    boost::system::error_code ignored;
    ignored = descriptor_.close(ignored);
    // Destroying a callback may drop the owner of this socket: only once the state here is settled.
    auto read = std::exchange(on_readable_, nullptr), write = std::exchange(on_writable_, nullptr);
  }

  asio::posix::stream_descriptor descriptor_;
  std::function<void()> on_readable_, on_writable_;
};

LoopSocket::LoopSocket(std::shared_ptr<Rep> rep) : rep_(std::move(rep)) {}

LoopSocket::~LoopSocket() { rep_->Close(); }

Result<std::unique_ptr<LoopSocket>> LoopSocket::Adopt(EventLoop& loop, int fd) {
  try {
    auto rep = std::make_shared<Rep>(loop.context());
    rep->Assign(fd);
    return std::unique_ptr<LoopSocket>(new LoopSocket(std::move(rep)));
  } catch (const std::exception& e) {
    ::close(fd);
    return Status(Code::kExhausted, std::string("watch socket: ") + e.what());
  }
}

int LoopSocket::fd() const { return rep_->fd(); }

void LoopSocket::WaitReadable(std::function<void()> callback) {
  rep_->Wait(asio::posix::stream_descriptor::wait_read, rep_->on_readable_, std::move(callback));
}

void LoopSocket::WaitWritable(std::function<void()> callback) {
  rep_->Wait(asio::posix::stream_descriptor::wait_write, rep_->on_writable_, std::move(callback));
}

void LoopSocket::Close() { rep_->Close(); }

}  // namespace gauntlet::net
