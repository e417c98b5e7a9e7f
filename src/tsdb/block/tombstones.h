// Tombstones: the spans of time that were deleted from series of a block, and their file.
//
// Format:   docs/format/tombstones.md      Upstream: prometheus tsdb/tombstones/tombstones.go
// Threads:  values; const use is shareable.

#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "model/samples.h"

namespace gauntlet::tsdb {

inline constexpr char kTombstonesFile[] = "tombstones";

// Both ends are deleted.
struct Interval {
  int64_t mint_ms = 0, maxt_ms = 0;
  bool operator==(const Interval&) const = default;
};

// Sorted, with a gap between any two. Adds one, joining those that it touches.
void AddInterval(std::vector<Interval>& intervals, Interval added);

class Tombstones {
 public:
  // The file of a block. kCorrupt when it does not parse.
  static Result<Tombstones> Parse(std::string_view bytes);
  std::string Format() const;

  void Add(uint32_t series_id, Interval interval) { AddInterval(by_series_[series_id], interval); }
  // What is deleted of the series.
  std::span<const Interval> Of(uint32_t series_id) const;
  bool empty() const { return by_series_.empty(); }
  // Intervals in all.
  uint64_t count() const;
  const std::map<uint32_t, std::vector<Interval>>& by_series() const { return by_series_; }

 private:
  std::map<uint32_t, std::vector<Interval>> by_series_;
};

// Whether all of [mint_ms, maxt_ms] lies in one interval.
bool IsDeleted(std::span<const Interval> intervals, int64_t mint_ms, int64_t maxt_ms);
// Removes the deleted samples from index `base` on. REQUIRES: times ascend.
void RemoveDeleted(std::span<const Interval> intervals, size_t base, Samples* samples);

}  // namespace gauntlet::tsdb
