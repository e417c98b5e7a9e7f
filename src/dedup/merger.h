// ReplicaMerger: the replicas of one series as one.
//
// `stitch` stays on one replica and fills its gaps from others; `penalty` and `chain` are Thanos' two.
//
// Upstream: thanos pkg/dedup
// Threads:  one thread at a time.

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "model/samples.h"

namespace gauntlet::dedup {

enum class Algorithm : uint8_t { kPenalty, kChain, kStitch };

// "penalty", "chain", "stitch"; kInvalid names the choices.
Result<Algorithm> ParseAlgorithm(std::string_view name);

// Whether the function reads its argument as a counter: increase, rate, irate, resets.
bool IsCounterFunction(std::string_view function);

// What is known of a replica before it is decoded.
struct ReplicaInfo {
  int64_t mint_ms = 0, maxt_ms = 0;  // its samples lie within
  uint64_t samples = 0;              // about so many
};

// Decodes replicas on demand.
class ReplicaSource {
 public:
  virtual ~ReplicaSource() = default;
  // Appends the samples of the replica to `out`, which is empty.
  virtual Status Read(size_t replica, Samples* out) = 0;
};

class Stitcher;

// Reused for many series, so that its buffers are allocated once. One thread at a time.
class ReplicaMerger {
 public:
  // `function`: the one that the samples are selected for, or empty.
  ReplicaMerger(Algorithm algorithm, std::string_view function);
  ~ReplicaMerger();

  // Appends the merged samples to `out`. Replicas that add nothing may stay unread. Errors are those of the source.
  Status Merge(std::span<const ReplicaInfo> replicas, ReplicaSource& source, Samples* out);
  // The same for replicas that are decoded already.
  void Merge(std::span<const Samples> replicas, Samples* out);

 private:
  Algorithm algorithm_;
  bool counter_;
  std::vector<Samples> buffers_;
  std::unique_ptr<Stitcher> stitcher_;
};

}  // namespace gauntlet::dedup
