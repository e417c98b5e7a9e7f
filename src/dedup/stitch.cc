#include "dedup/stitch.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "dedup/seam.h"

namespace gauntlet::dedup {
namespace {

constexpr int64_t kBeforeAll = std::numeric_limits<int64_t>::min();
constexpr int64_t kAfterAll = std::numeric_limits<int64_t>::max();
constexpr size_t kReturnSamples = 4;  // regular steps of the primary before it is trusted again

// The difference of two times, which may be at the ends of the range.
int64_t Distance(int64_t from, int64_t to) {
  int64_t distance;
  return __builtin_sub_overflow(to, from, &distance) ? kAfterAll : distance;
}

// More than 1.5 intervals.
bool IsGap(int64_t from, int64_t to, int64_t interval) { return Distance(from, to) > interval + interval / 2; }

}  // namespace

Status Stitcher::Merge(std::span<const ReplicaInfo> replicas, ReplicaSource& source, bool counter, Samples* out) {
  count_ = replicas.size();
  if (replicas_.size() < count_) replicas_.resize(count_);
  order_.resize(count_);
  std::iota(order_.begin(), order_.end(), size_t{0});
  std::stable_sort(order_.begin(), order_.end(),
                   [&](size_t a, size_t b) { return replicas[a].samples > replicas[b].samples; });
  auto read = [&](size_t i) {
    Replica& replica = replicas_[i];
    replica.samples.Clear();
    replica.raised_by = 0;
    replica.given_until = 0;
    Status status = source.Read(i, &replica.samples);
    replica.track.Build(&replica.samples);
    return status;
  };
  GN_TRY(read(order_[0]));
  if (PrimarySuffices(replicas)) {
    Samples& samples = replicas_[order_[0]].samples;
    if (out->size() == 0) {
      std::swap(samples, *out);
    } else {
      AppendRange(samples, 0, samples.size(), out);
    }
    return Status();
  }
  for (size_t i : std::span(order_).subspan(1)) GN_TRY(read(i));
  out_ = out;
  out_first_ = out->size();
  raise_ = counter;
  counter_ = counter ? std::optional(true) : std::nullopt;
  StitchAll();
  return Status();
}

bool Stitcher::PrimarySuffices(std::span<const ReplicaInfo> replicas) const {
  const Track& primary = replicas_[order_[0]].track;
  if (count_ == 1) return true;
  if (primary.runs().size() != 1 || !primary.stale().empty()) return false;
  int64_t first = primary.time(0), last = primary.time(primary.size() - 1);
  return std::ranges::all_of(std::span(order_).subspan(1), [&](size_t i) {
    const ReplicaInfo& other = replicas[i];
    return other.samples == 0 || (!IsGap(other.mint_ms, first, primary.interval(0)) &&
                                  !IsGap(last, other.maxt_ms, primary.interval(primary.size() - 1)));
  });
}

void Stitcher::StitchAll() {
  last_.reset();
  last_time_ = kBeforeAll;
  for (auto at = Start(); at;) at = Follow(*at);
}

std::optional<Stitcher::Place> Stitcher::Start() {
  std::optional<Place> first;
  int64_t first_time = kAfterAll;
  for (size_t i : order_) {
    size_t index = track(i).FirstAt(kBeforeAll);
    if (index == Track::kNone) continue;
    int64_t t = track(i).time(index);
    // Those before it in the order keep their place if they begin about as early.
    if (!first || IsGap(t, first_time, track(first->track).interval(first->index))) {
      first = Place{i, index};
      first_time = t;
    }
  }
  auto stale = StaleBetween(kBeforeAll, first_time);
  if (stale && (!first || IsGap(track(stale->track).time(stale->index), first_time,
                                track(first->track).interval(first->index)))) {
    Give(*stale, stale->index + 1);
  }
  return first;
}

std::optional<Stitcher::Place> Stitcher::Follow(Place at) {
  const Track& here = track(at.track);
  size_t run_end = here.runs()[here.RunAt(at.index)].end;
  size_t end = run_end, back = Track::kNone;
  if (at.track != order_[0]) back = PrimaryBack(here.time(at.index));
  if (back != Track::kNone) {
    const Track& primary = track(order_[0]);
    int64_t until = primary.time(back) - primary.interval(back) / 2;
    const auto& times = here.samples().times_ms;
    auto begin = times.begin() + static_cast<std::ptrdiff_t>(at.index);
    end = static_cast<size_t>(std::upper_bound(begin, times.begin() + static_cast<std::ptrdiff_t>(run_end), until) -
                              times.begin());
  }
  if (end == at.index) {  // the primary is back before anything could be given from here
    const Track& primary = track(order_[0]);
    int64_t from = last_ ? last_time_ + std::max<int64_t>(primary.interval(back) / 2, 1) : kBeforeAll;
    return Enter(order_[0], primary.FirstAt(from));
  }
  Give(at, end);
  if (end < run_end && FirstUseful(order_[0], back) == back) return Enter(order_[0], back);
  if (end < run_end) Give({at.track, end}, run_end);
  return Next(at.track, run_end);
}

std::optional<Stitcher::Place> Stitcher::Next(size_t from, size_t end) {
  const Track& here = track(from);
  size_t own_run = here.RunAt(end);
  std::optional<Place> own;
  if (own_run < here.runs().size()) own = Place{from, here.runs()[own_run].begin};
  int64_t own_time = own ? here.time(own->index) : kAfterAll;

  std::optional<Place> other;
  int64_t other_time = kAfterAll;
  for (size_t i : order_) {
    if (i == from) continue;
    const Track& there = track(i);
    size_t index = there.FirstAt(last_time_ + 1);
    if (index == Track::kNone) continue;
    int64_t interval = there.interval(index) != 0 ? there.interval(index) : here.interval(end - 1);
    index = FirstUseful(i, there.FirstAt(last_time_ + std::max<int64_t>(interval / 2, 1)));
    if (index == Track::kNone) continue;
    int64_t t = there.time(index);
    if (own && Distance(t, own_time) < interval / 2) continue;
    if (t < other_time && (!other || IsGap(last_time_, other_time, here.interval(end - 1)))) {
      other = Place{i, index};
      other_time = t;
    }
  }

  auto next = other ? other : own;
  int64_t next_time = other ? other_time : own_time;
  auto stale = StaleBetween(last_time_, next_time);
  bool own_marker = !other && here.StaleBetween(last_time_, next_time) != Track::kNone;
  if (stale && (!next || own_marker || IsGap(last_time_, next_time, track(next->track).interval(next->index)))) {
    Give(*stale, stale->index + 1);
  }
  if (other) return Enter(other->track, other->index);
  if (own) ForgetRaise(from, end, own->index);
  return own;
}

void Stitcher::ForgetRaise(size_t of, size_t begin, size_t index) {
  Replica& replica = replicas_[of];
  for (size_t i = std::max<size_t>(begin, 1); replica.raised_by != 0 && i <= index; ++i) {
    auto before = replica.track.Number(i - 1), here = replica.track.Number(i);
    if (before && here && *here < *before) replica.raised_by = 0;
  }
}

size_t Stitcher::FirstUseful(size_t of, size_t index) {
  if (index == Track::kNone || out_->size() == out_first_) return index;
  if (!counter_) counter_ = LooksLikeCounter();
  const Track& there = track(of);
  if (!*counter_ || !CounterSeam(*out_, out_first_).EndsBehind(there, index, replicas_[of].raised_by)) return index;
  size_t next = there.RunAt(index) + 1;
  return next < there.runs().size() ? there.runs()[next].begin : Track::kNone;
}

size_t Stitcher::PrimaryBack(int64_t t) {
  const Track& primary = track(order_[0]);
  size_t first = primary.FirstAt(t);
  if (first == Track::kNone) return Track::kNone;
  for (size_t r = primary.RunAt(first); r < primary.runs().size(); ++r) {
    Run run = primary.runs()[r];
    size_t index = std::max<size_t>(run.begin + kReturnSamples, first);
    if (index < run.end) return index;
  }
  return Track::kNone;
}

Stitcher::Place Stitcher::Enter(size_t to, size_t index) {
  Replica& replica = replicas_[to];
  if (!counter_) counter_ = LooksLikeCounter();
  if (!*counter_ || out_->size() == out_first_) return {to, index};
  ForgetRaise(to, replica.given_until, index);
  auto entry = CounterSeam(*out_, out_first_).Enter(replica.track, index, replica.raised_by);
  if (raise_) replica.raised_by = entry.raise;
  return {to, entry.index};
}

void Stitcher::Give(Place from, size_t end) {
  if (from.index >= end) return;
  Replica& replica = replicas_[from.track];
  const Samples& samples = replica.samples;
  bool neighbour = last_ && last_->track == from.track && last_->index + 1 == from.index;
  size_t base = out_->size(), histogram = out_->histograms.size();
  AppendRange(samples, from.index, end, out_);
  if (!neighbour && last_ && histogram < out_->histograms.size() && out_->histograms[histogram].position == base) {
    ResetHint& hint = out_->histograms[histogram].histogram.reset_hint;
    if (hint != ResetHint::kGauge) hint = ResetHint::kUnknown;
  }
  for (size_t i = from.index; replica.raised_by != 0 && i < end; ++i) {
    auto before = i > from.index ? replica.track.Number(i - 1) : std::nullopt, here = replica.track.Number(i);
    if (before && here && *here < *before) replica.raised_by = 0;
    // An addition would make a stale marker a plain NaN.
    if (here) out_->values[base + i - from.index] += replica.raised_by;
  }
  replica.given_until = end;
  last_ = Place{from.track, end - 1};
  last_time_ = samples.times_ms[end - 1];
}

std::optional<Stitcher::Place> Stitcher::StaleBetween(int64_t after, int64_t before) {
  std::optional<Place> earliest;
  for (size_t i : order_) {
    size_t index = track(i).StaleBetween(after, before);
    if (index == Track::kNone) continue;
    before = track(i).time(index);
    earliest = Place{i, index};
  }
  return earliest;
}

// Hardly any value is lower than the one before, and none is negative.
bool Stitcher::LooksLikeCounter() {
  size_t steps = 0, falls = 0;
  for (size_t i : order_) {
    const Track& t = track(i);
    std::optional<double> before;
    for (Run run : t.runs()) {
      for (size_t k = run.begin; k < run.end; ++k) {
        auto number = t.Number(k);
        if (!number) continue;
        if (*number < 0) return false;
        if (before) ++steps;
        if (before && *number < *before) ++falls;
        before = number;
      }
    }
  }
  return falls <= std::max<size_t>(2 * count_, steps / 16);
}

}  // namespace gauntlet::dedup
