// Stitch: replicas merged so that nothing is added that no replica has: no gap, no reset, no value.
//
// It stays on one replica, the one with the most samples, until that has a gap (more than 1.5 scrape intervals, learned
// from the data) or ends; fills only the gap from another one; and returns when the first has been regular for some
// samples. Two samples given are never closer than half an interval where replicas change. Replicas are decoded only
// when there is a gap that they could fill. A stale marker counts only where no replica goes on.
//
// Counters: seam.h chooses where to enter another replica. Values pass unaltered, except for counter functions over
// replicas that count different things: there they are raised at the switch, which such functions do not notice.
//
// Threads: one thread at a time.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/status.h"
#include "dedup/merger.h"
#include "dedup/track.h"
#include "model/samples.h"

namespace gauntlet::dedup {

// Reused between series. One thread at a time.
class Stitcher {
 public:
  Status Merge(std::span<const ReplicaInfo> replicas, ReplicaSource& source, bool counter, Samples* out);

 private:
  // The sample to be given next.
  struct Place {
    size_t track, index;
  };
  // One replica.
  struct Replica {
    Samples samples;
    Track track;
    double raised_by = 0;
    size_t given_until = 0;  // index behind its last sample given
  };

  Track& track(size_t i) { return replicas_[i].track; }
  bool PrimarySuffices(std::span<const ReplicaInfo> replicas) const;
  void StitchAll();
  std::optional<Place> Start();
  // Gives samples from `at` to the end of its run, or until the primary is back; returns the next place.
  std::optional<Place> Follow(Place at);
  // Where to go on when a run of `from` ended at `end`.
  std::optional<Place> Next(size_t from, size_t end);
  // `index`, or the begin of the next run where a counter's run from there on ends behind what was given.
  size_t FirstUseful(size_t of, size_t index);
  // Where the primary is regular again, at `t` or later; kNone when nowhere.
  size_t PrimaryBack(int64_t t);
  // Changes to another replica whose sample `index` time allows.
  Place Enter(size_t to, size_t index);
  // A reset of the replica's own in [begin, index] ends what its values were raised by.
  void ForgetRaise(size_t of, size_t begin, size_t index);
  void Give(Place from, size_t end);
  // The earliest stale marker of all with after < t < before.
  std::optional<Place> StaleBetween(int64_t after, int64_t before);
  bool LooksLikeCounter();

  std::vector<Replica> replicas_;
  size_t count_ = 0;           // of replicas_ that belong to the current series
  std::vector<size_t> order_;  // the primary, then the others by their number of samples
  Samples* out_ = nullptr;
  size_t out_first_ = 0;
  bool raise_ = false;           // values may be raised
  std::optional<bool> counter_;  // whether seams matter; unknown until the first switch
  std::optional<Place> last_;    // the last sample given
  int64_t last_time_ = 0;
};

}  // namespace gauntlet::dedup
