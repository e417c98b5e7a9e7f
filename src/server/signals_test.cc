#include "server/signals.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
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

TEST(Signals, AWaitAfterOneThatWasCancelledSleeps) {
  Signals signals;
  CancelSource source;
  source.Stop();
  EXPECT_EQ(signals.WaitForStop(source.cancel(), nullptr), "");
  auto cpu_us = [] {
    rusage usage{};
    getrusage(RUSAGE_THREAD, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1'000'000 + usage.ru_utime.tv_usec +
           usage.ru_stime.tv_usec;
  };
  auto before = cpu_us();
  CancelSource timed(Cancel(), std::chrono::milliseconds(500));
  EXPECT_EQ(signals.WaitForStop(timed.cancel(), nullptr), "");
  EXPECT_LT(cpu_us() - before, 50'000) << "half a second of waiting";
}

}  // namespace
}  // namespace gauntlet::server
