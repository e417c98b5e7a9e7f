#include "objstore/retry.h"

#include <algorithm>
#include <random>

#include "base/sleep.h"

namespace gauntlet::objstore {

Status Pause(std::chrono::milliseconds time, const Cancel& cancel) {
  (void)SleepFor(time, cancel);
  return cancel.status();
}

bool IsTemporary(const Status& error) { return error.code() == Code::kUnavailable || error.code() == Code::kDeadline; }

Status Retries::Next(const Status& error, const Cancel& cancel) {
  GN_TRY(cancel.status());
  if (!IsTemporary(error)) return error;
  if (++attempts_ >= options_.attempts_max) {
    Status last = error;
    return std::move(last).Wrap("gave up after " + std::to_string(attempts_) + " attempts");
  }
  auto due = options_.first_wait * (int64_t{1} << std::min(attempts_ - 1, 20));
  due = std::min<std::chrono::milliseconds>(due, options_.wait_max);
  thread_local std::minstd_rand random(std::random_device{}());
  auto half = due.count() / 2;
  std::chrono::milliseconds wait(half + std::uniform_int_distribution<int64_t>(0, half)(random));
  return Pause(wait, cancel);
}

}  // namespace gauntlet::objstore
