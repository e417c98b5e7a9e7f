#include "dedup/seam.h"

#include <algorithm>

namespace gauntlet::dedup {

CounterSeam::Entry CounterSeam::Enter(const Track& track, size_t index, double raised_by) const {
  auto last = LastNumber();
  if (!last) return {index, raised_by};
  const int64_t reach = std::max<int64_t>(track.interval(index), 1);
  auto number = [&](size_t i) {
    auto n = track.Number(i);
    return n ? std::optional(*n + raised_by) : std::nullopt;
  };
  const size_t end = track.runs()[track.RunAt(index)].end;

  // A reset was just given, and this replica, which lags, comes to it within an interval: go on behind it.
  auto here = number(index);
  if (here && *here > last->value && GaveResetIn(last->time - reach, last->time)) {
    for (size_t i = index + 1; i < end && track.time(i) <= last->time + reach * 3 / 2; ++i) {
      auto before = track.Number(i - 1), after = track.Number(i);
      if (before && after && *after < *before) return {i, 0};
    }
  }

  if (!here || *here >= last->value) return {index, raised_by};
  if (ShowsNewReset(track, index, *last, reach)) return {index, 0};
  bool began_here = track.Before(index) == Track::kNone;
  if (began_here && track.time(index) - last->time > reach * 3 / 2) return {index, 0};  // who knows: a gap of all

  // Not a reset: the replica is behind by less than an interval, or counts something else.
  for (size_t i = index; i < end; ++i) {
    auto n = number(i), before = number(i - (i > index));
    if (n && *n >= last->value) return {i, raised_by};
    if (n && before && *n < *before) return {i, 0};  // its own reset, new
    if (track.time(i) > last->time + reach) break;
  }
  return {index, raised_by + (last->value - *here)};
}

bool CounterSeam::EndsBehind(const Track& track, size_t index, double raised_by) const {
  auto last = LastNumber();
  if (!last) return false;
  const int64_t reach = std::max<int64_t>(track.interval(index), 1);
  const size_t end = track.runs()[track.RunAt(index)].end;
  if (track.time(end - 1) > last->time + reach) return false;
  for (size_t i = index; i < end; ++i) {
    auto n = track.Number(i);
    if (!n || *n + raised_by >= last->value) return false;
  }
  return !ShowsNewReset(track, index, *last, reach);
}

std::optional<CounterSeam::Last> CounterSeam::LastNumber() const {
  for (size_t i = given_.size(); i > first_; --i) {
    if (auto n = CounterNumber(given_, i - 1)) return Last{given_.times_ms[i - 1], *n};
  }
  return std::nullopt;
}

bool CounterSeam::GaveResetIn(int64_t after, int64_t until) const {
  std::optional<double> later;
  int64_t later_time = 0;
  for (size_t i = given_.size(); i > first_; --i) {
    auto n = CounterNumber(given_, i - 1);
    if (!n) continue;
    if (later && later_time <= after) return false;
    if (later && later_time <= until && *later < *n) return true;
    later = n;
    later_time = given_.times_ms[i - 1];
  }
  return false;
}

bool CounterSeam::ShowsNewReset(const Track& track, size_t index, const Last& last, int64_t reach) const {
  for (size_t i = index;;) {
    size_t before = track.Before(i);
    if (before == Track::kNone) return false;
    auto a = track.Number(before), b = track.Number(i);
    if (a && b && *b < *a) return !GaveResetIn(std::min(track.time(before), last.time) - reach, last.time);
    if (track.time(before) <= last.time - reach * 3 / 2) return false;
    i = before;
  }
}

}  // namespace gauntlet::dedup
