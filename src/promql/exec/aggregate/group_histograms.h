// GroupHistograms: what a group of sum or avg holds at the steps where it met a native histogram.
//
// Floats and histograms at one step give nothing but a warning. Once a group met both custom and exponential buckets at
// a step, nothing that follows there counts, not even as a float.
//
// Upstream: prometheus promql/engine.go (aggregation)
// Threads:  one thread at a time.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "promql/exec/aggregate/aggregate.h"
#include "promql/exec/histograms/histogram_total.h"

namespace gauntlet::promql {

class GroupHistograms {
 public:
  // `floats`: the steps at which the group has floats already.
  GroupHistograms(bool average, std::vector<uint64_t> floats) : average_(average), floats_(std::move(floats)) {}

  // The floats and histograms of one series. Returns the bytes that this grew by.
  size_t Add(const Row& row, PositionRange pos, AnnotationSet* annotations);
  // Puts histograms in their place, and takes away the steps that have no result.
  void Finish(PositionRange pos, Column* out, AnnotationSet* annotations);

 private:
  struct Step {
    // Nothing when a float came first: then there is no result anyway.
    std::optional<HistogramTotal> total;
    bool incompatible = false;
  };
  bool HasFloat(uint32_t step) const { return floats_[step / 64] >> (step % 64) & 1; }

  const bool average_;
  std::vector<uint64_t> floats_;
  std::vector<std::unique_ptr<Step>> steps_;  // null where there was no histogram; empty before the first
};

}  // namespace gauntlet::promql
