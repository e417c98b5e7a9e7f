// ReplicaSeries: one series of a fan-out, its chunks still encoded, replicas merged when it is read.
//
// Threads: one thread at a time; different series on different threads.    Owns: shares of the batches its chunks lie
// in

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/memory_budget.h"
#include "dedup/merger.h"
#include "downsample/chunk_reader.h"
#include "storage/storage.h"
#include "storeapi/merge.h"

namespace gauntlet::query {

// How the series of one select are read; shared by them. Immutable.
struct ReadPlan {
  bool deduplicate = true;
  dedup::Algorithm algorithm = dedup::Algorithm::kPenalty;
  std::string function;  // nearest function of the selector
  downsample::Reading reading = downsample::Reading::kAverage;
  int64_t start_ms = 0, end_ms = 0;  // samples outside are left out
};

class ReplicaSeries : public storage::Series {
 public:
  // Takes the parts over. `budget` may be null.
  ReplicaSeries(std::shared_ptr<const ReadPlan> plan, storeapi::MergedSeries&& merged, MemoryBudget* budget);

  // Charges the budget for what this holds. Call before handing it out.
  Status Charge();

  LabelsView labels() const override { return labels_; }
  Status Read(Samples* out) const override;
  size_t memory_bytes() const override { return bytes_; }

 private:
  const std::shared_ptr<const ReadPlan> plan_;
  std::vector<storeapi::SeriesPart> parts_;
  LabelsView labels_;  // of parts_[0]
  size_t bytes_;
  MemoryCharge charge_;
};

}  // namespace gauntlet::query
