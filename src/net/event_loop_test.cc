#include "net/event_loop.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include "base/mutex.h"

namespace gauntlet::net {
namespace {

using std::chrono::milliseconds;

// Set on the loop, awaited by the test.
class Event {
 public:
  void Set() {
    MutexLock lock(mutex_);
    set_ = true;
    cond_.NotifyAll();
  }
  void Wait() {
    MutexLock lock(mutex_);
    while (!set_) cond_.Wait(mutex_);
  }

 private:
  Mutex mutex_;
  CondVar cond_;
  bool set_ GN_GUARDED_BY(mutex_) = false;
};

TEST(EventLoop, RunsPostsInOrderOnItsThread) {
  auto loop = *EventLoop::Start("test");
  std::vector<int> order;
  for (int i = 0; i < 100; ++i) loop->Post([&, i] { order.push_back(i); });
  bool inside = false;
  EXPECT_TRUE(loop->Call([&] { inside = loop->InLoop(); }));
  EXPECT_TRUE(inside);
  EXPECT_FALSE(loop->InLoop());
  ASSERT_EQ(order.size(), 100u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(EventLoop, StoppedLoopDropsTasks) {
  auto loop = *EventLoop::Start("test");
  loop->Stop();
  auto kept = std::make_shared<int>(1);
  loop->Post([kept] { ADD_FAILURE() << "ran after Stop"; });
  EXPECT_FALSE(loop->Call([] { ADD_FAILURE() << "ran after Stop"; }));
  loop.reset();
  EXPECT_EQ(kept.use_count(), 1);
}

TEST(EventLoop, SharedLoopLivesAsLongAsItsUsers) {
  auto first = *EventLoop::Shared();
  auto second = *EventLoop::Shared();
  EXPECT_EQ(first, second);
  std::weak_ptr<EventLoop> weak = first;
  first.reset();
  EXPECT_TRUE(second->Call([] {}));
  second.reset();
  EXPECT_TRUE(weak.expired());
  EXPECT_TRUE((*EventLoop::Shared())->Call([] {}));
}

TEST(LoopTimer, FiresOnceAndLaterAtReplacesEarlier) {
  auto loop = *EventLoop::Start("test");
  std::unique_ptr<LoopTimer> timer;
  Event fired;
  int count = 0;
  loop->Call([&] {
    timer = std::make_unique<LoopTimer>(*loop);
    timer->After(milliseconds(0), [] { ADD_FAILURE() << "replaced alarm fired"; });
    timer->After(milliseconds(1), [&] {
      ++count;
      fired.Set();
    });
    EXPECT_TRUE(timer->pending());
  });
  fired.Wait();
  loop->Call([&] {
    EXPECT_FALSE(timer->pending());
    timer->After(milliseconds(0), [] { ADD_FAILURE() << "cancelled alarm fired"; });
    timer->Cancel();
  });
  loop->Call([&] { timer.reset(); });
  EXPECT_EQ(count, 1);
}

TEST(LoopSocket, TellsReadableAndWritable) {
  auto loop = *EventLoop::Start("test");
  std::array<int, 2> fds{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds.data()), 0);
  std::unique_ptr<LoopSocket> socket;
  Event writable, readable, again;
  loop->Call([&] {
    socket = *LoopSocket::Adopt(*loop, fds[0]);
    socket->WaitWritable([&] { writable.Set(); });
    socket->WaitReadable([&] { readable.Set(); });
  });
  writable.Wait();
  ASSERT_EQ(write(fds[1], "x", 1), 1);
  readable.Wait();
  // Still readable: nothing was read, so a new wait ends at once, though no new bytes came.
  loop->Call([&] { socket->WaitReadable([&] { again.Set(); }); });
  again.Wait();
  loop->Call([&] { socket.reset(); });
  close(fds[1]);
}

TEST(LoopSocket, ClosedSocketCallsNobody) {
  auto loop = *EventLoop::Start("test");
  std::array<int, 2> fds{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds.data()), 0);
  auto kept = std::make_shared<int>(1);
  loop->Call([&] {
    auto socket = *LoopSocket::Adopt(*loop, fds[0]);
    socket->WaitReadable([kept] { ADD_FAILURE() << "called after Close"; });
    socket->WaitWritable([kept] { ADD_FAILURE() << "called after Close"; });
    socket->Close();
    EXPECT_EQ(socket->fd(), -1);
    EXPECT_EQ(kept.use_count(), 1);
  });
  loop->Call([] {});
  close(fds[1]);
}

}  // namespace
}  // namespace gauntlet::net
