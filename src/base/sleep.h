// SleepFor: waiting for time to pass, ended by a cancel.
//
// Threads: blocks the caller.

#pragma once

#include <chrono>

#include "base/cancel.h"

namespace gauntlet {

// Until the time has passed or `cancel` stops; true when it has not stopped.
bool SleepFor(std::chrono::milliseconds time, const Cancel& cancel);

}  // namespace gauntlet
