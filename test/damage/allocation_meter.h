// AllocationMeter: how much memory a piece of code held at once, beyond what was held when it began.
//
// With the address sanitizer every malloc counts, without it what operator new gave.
// Threads: counts the allocations of the thread that made it; one at a time.

#pragma once

#include <cstdint>

namespace gauntlet::damage {

class AllocationMeter {
 public:
  AllocationMeter();
  ~AllocationMeter();
  AllocationMeter(const AllocationMeter&) = delete;
  AllocationMeter& operator=(const AllocationMeter&) = delete;

  int64_t peak_bytes() const;
};

}  // namespace gauntlet::damage
