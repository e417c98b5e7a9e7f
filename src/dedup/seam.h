// CounterSeam: at which sample of another replica a counter may go on, so that the switch does not look like a reset.
//
// Replicas scrape at different moments and their clocks differ, so the other one's next sample may be a little lower
// than the last one given. A real reset is one that the other replica shows itself, and that was not given yet.
//
// Threads: one thread at a time.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "dedup/track.h"

namespace gauntlet::dedup {

class CounterSeam {
 public:
  // What was given so far. `first` is the index in `given` where this series begins.
  CounterSeam(const Samples& given, size_t first) : given_(given), first_(first) {}

  struct Entry {
    size_t index;      // where to go on
    double raise = 0;  // what the values must be raised by to go on without a reset
  };

  // Whether the run from sample `index` on ends before it has caught up with the last number given, within an interval:
  // then there is nothing to enter it for.
  bool EndsBehind(const Track& track, size_t index, double raised_by) const;

  // Where to enter `track`, whose values are raised by `raised_by`, when sample `index` is the first that time allows.
  Entry Enter(const Track& track, size_t index, double raised_by) const;

 private:
  // The last number given and its time; stale markers and NaN are passed over.
  struct Last {
    int64_t time;
    double value;
  };
  std::optional<Last> LastNumber() const;
  // Whether a given value was lower than the one before it, at a time in (after, until].
  bool GaveResetIn(int64_t after, int64_t until) const;
  // Whether the track's own values fell on the way to `index`, at a time when no reset was given.
  bool ShowsNewReset(const Track& track, size_t index, const Last& last, int64_t reach) const;

  const Samples& given_;
  size_t first_;
};

}  // namespace gauntlet::dedup
