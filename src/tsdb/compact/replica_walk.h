// ReplicaWalk: replicas of one series as one, for blocks: every sample that a replica took is kept or has another one
// taken about when it was.
//
// The walk stays on one replica as long as its samples follow each other within twice its last step. Where they do
// not, or where it ends, the walk goes over to the replica that has a sample nearest to where the next one was due.
// What overlaps is met in groups, with chunks between them that only one replica has; the walk remembers where it was,
// so that it does not begin anew with each group and lose or double samples there, as Thanos' does.
//
// Of samples that two replicas took within half a step of each other, one counts.
//
// Upstream: thanos pkg/dedup/iter.go has the purpose; the rule is ours
// Threads:  one thread at a time.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "model/samples.h"

namespace gauntlet::tsdb {

class ReplicaWalk {
 public:
  // A new series begins.
  void Reset() { *this = ReplicaWalk(); }

  // Appends the replicas of a group, merged. REQUIRES: times of each ascend; all are later than those met before.
  void Merge(std::span<const Samples* const> replicas, Samples* out);
  // A chunk of one replica goes on as it is.
  void Skip(int64_t mint_ms, int64_t maxt_ms, uint32_t samples);

 private:
  static constexpr int64_t kUnknown = -1;

  // The step of these times at sample `at`; the last one known where they are too few.
  int64_t StepAround(const std::vector<int64_t>& times, size_t at) const;
  // The replica with the sample nearest to where the next one is due, and that sample: half a step behind the last one
  // at least, since what is nearer was taken with it. `before`: only earlier ones. False when there is none.
  bool Nearest(std::span<const Samples* const> replicas, size_t except, int64_t before, size_t* replica,
               size_t* at) const;

  bool any_ = false;  // whether there was a sample
  int64_t last_ms_ = 0, step_ms_ = kUnknown;
};

}  // namespace gauntlet::tsdb
