// Retries: which errors are worth another try, and how long to wait before it.
//
// Threads: one thread at a time.

#pragma once

#include <chrono>
#include <functional>

#include "base/cancel.h"
#include "base/status.h"

namespace gauntlet::objstore {

struct RetryOptions {
  int attempts_max = 10;
  std::chrono::milliseconds first_wait{200};  // doubles with each attempt
  std::chrono::milliseconds wait_max{5'000};
};

// Waits; ends early, with its status, when the cancel does.
Status Pause(std::chrono::milliseconds time, const Cancel& cancel);

class Retries {
 public:
  explicit Retries(const RetryOptions& options) : options_(options) {}

  // After a failed attempt: waits (a random part, at least half, of the time that is due) and returns ok when another
  // attempt should be made; else returns `error`, or why the wait ended.
  Status Next(const Status& error, const Cancel& cancel);
  int attempts() const { return attempts_ + 1; }

 private:
  RetryOptions options_;
  int attempts_ = 0;
};

// kUnavailable and kDeadline: the network, the server, or time that ran out (of the request, not of the caller).
bool IsTemporary(const Status& error);

}  // namespace gauntlet::objstore
