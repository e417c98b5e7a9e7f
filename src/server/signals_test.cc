#include "server/signals.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <thread>

namespace gauntlet::server {
namespace {

TEST(Signals, ReloadsOnHangupAndEndsOnTerm) {
  Signals signals;
  int hangups = 0;
  kill(getpid(), SIGHUP);
  std::string stop = signals.WaitForStop(Cancel(), [&] {
    ++hangups;
    kill(getpid(), SIGTERM);
  });
  EXPECT_EQ(stop, "SIGTERM");
  EXPECT_EQ(hangups, 1);
  kill(getpid(), SIGINT);
  EXPECT_EQ(signals.WaitForStop(Cancel(), nullptr), "SIGINT");
}

TEST(Signals, EndsWithItsCancel) {
  Signals signals;
  CancelSource source;
  std::thread stopper([&] { source.Stop(); });
  EXPECT_EQ(signals.WaitForStop(source.cancel(), nullptr), "");
  stopper.join();
  CancelSource timed(Cancel(), std::chrono::milliseconds(1));
  EXPECT_EQ(signals.WaitForStop(timed.cancel(), nullptr), "");
}

}  // namespace
}  // namespace gauntlet::server
