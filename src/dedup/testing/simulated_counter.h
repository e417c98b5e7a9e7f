// A counter whose target restarts now and then, and replicas that scrape it: each at its own phase, with jitter and
// latency, missing single scrapes, failing for a while, or being down. All from one seed.

#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "model/samples.h"

namespace gauntlet::dedup {

class SimulatedCounter {
 public:
  struct Options {
    int64_t interval_ms = 15000;
    int64_t duration_ms = 3600000;
    int restarts = 2;
    double rate_max = 10;  // per second
  };

  SimulatedCounter(uint64_t seed, const Options& options);

  // The value at a time, or negative while the target is down.
  double At(int64_t t_ms) const;
  // What the counter counted in (from, to], over all restarts.
  double Counted(int64_t from_ms, int64_t to_ms) const;
  // When it started again.
  const std::vector<int64_t>& restarts() const { return restarts_; }
  // When it stopped, one for each restart.
  const std::vector<int64_t>& stops() const { return stops_; }

  struct Faults {
    int outages = 2;       // of the replica: no samples for a while, no stale marker
    double missed = 0.01;  // scrapes lost without a trace
    double failed = 0.01;  // scrapes that failed, seen as a stale marker
    int64_t jitter_ms = 20;
    int64_t latency_max_ms = 500;  // the value is that of a moment after its time stamp
  };
  Samples Scrape(uint64_t seed, const Faults& faults) const;

 private:
  Options options_;
  std::vector<double> counted_;  // at each second from 0 on, over all restarts
  std::vector<int64_t> stops_, restarts_;
};

}  // namespace gauntlet::dedup
