#include "dedup/testing/simulated_counter.h"

#include <algorithm>
#include <cmath>

#include "model/stale.h"

namespace gauntlet::dedup {

SimulatedCounter::SimulatedCounter(uint64_t seed, const Options& options) : options_(options) {
  std::mt19937_64 random(seed);
  for (int i = 0; i < options.restarts; ++i) {
    // One in each part of the time, away from its ends; down for up to four intervals.
    int64_t part = options.duration_ms / (options.restarts + 1);
    int64_t stop = part * (i + 1) - part / 4 + static_cast<int64_t>(random() % static_cast<uint64_t>(part / 2));
    stops_.push_back(stop);
    restarts_.push_back(stop + 100 + static_cast<int64_t>(random() % static_cast<uint64_t>(4 * options.interval_ms)));
  }
  double rate = 0, total = 1000;
  for (int64_t t = 0; t <= options.duration_ms + 1000; t += 1000) {
    counted_.push_back(total);
    if (random() % 100 == 0 || t == 0) rate = options.rate_max * static_cast<double>(random() % 100) / 100;
    bool down = false;
    for (size_t i = 0; i < stops_.size(); ++i) down |= t + 1000 > stops_[i] && t < restarts_[i];
    if (!down) total += rate;
  }
}

double SimulatedCounter::Counted(int64_t from_ms, int64_t to_ms) const {
  auto at = [&](int64_t t) {
    t = std::clamp<int64_t>(t, 0, options_.duration_ms);
    auto second = static_cast<size_t>(t / 1000);
    double part = static_cast<double>(t % 1000) / 1000;
    return counted_[second] + part * (counted_[second + 1] - counted_[second]);
  };
  return at(to_ms) - at(from_ms);
}

double SimulatedCounter::At(int64_t t_ms) const {
  int64_t since = 0;
  double base = 1000;
  for (size_t i = 0; i < stops_.size(); ++i) {
    if (t_ms >= stops_[i] && t_ms < restarts_[i]) return -1;
    if (t_ms >= restarts_[i]) {
      since = restarts_[i];
      base = 0;
    }
  }
  return base + std::floor(Counted(since, t_ms));
}

Samples SimulatedCounter::Scrape(uint64_t seed, const Faults& faults) const {
  std::mt19937_64 random(seed);
  auto chance = [&](double p) { return static_cast<double>(random() % 1000000) < p * 1000000; };
  std::vector<std::pair<int64_t, int64_t>> outages;
  for (int i = 0; i < faults.outages; ++i) {
    auto from = static_cast<int64_t>(random() % static_cast<uint64_t>(options_.duration_ms));
    outages.push_back({from, from + static_cast<int64_t>(random() % static_cast<uint64_t>(20 * options_.interval_ms))});
  }
  Samples samples;
  auto give = [&](int64_t t, double v) {
    samples.times_ms.push_back(t);
    samples.values.push_back(v);
  };
  bool was_there = false;
  auto phase = static_cast<int64_t>(random() % static_cast<uint64_t>(options_.interval_ms));
  for (int64_t due = phase; due < options_.duration_ms; due += options_.interval_ms) {
    int64_t t = due + static_cast<int64_t>(random() % static_cast<uint64_t>(faults.jitter_ms + 1));
    double v = At(t + static_cast<int64_t>(random() % static_cast<uint64_t>(faults.latency_max_ms + 1)));
    bool lost = chance(faults.missed), failed = chance(faults.failed);
    for (auto [from, to] : outages) lost |= t >= from && t < to;
    if (lost) {
      was_there = false;
    } else if (v >= 0 && !failed) {
      give(t, v);
      was_there = true;
    } else if (was_there) {
      give(t, StaleNaN());
      was_there = false;
    }
  }
  return samples;
}

}  // namespace gauntlet::dedup
