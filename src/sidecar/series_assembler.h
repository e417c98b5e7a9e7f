// SeriesAssembler: series of Prometheus, in its order, made into batches of final series, in theirs.
//
// Threads: one thread at a time.

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sidecar/remote_read.h"
#include "storeapi/external_labels.h"
#include "storeapi/shard_filter.h"
#include "storeapi/sort_window.h"
#include "storeapi/spill_sort.h"

namespace gauntlet::sidecar {

class SeriesAssembler {
 public:
  // Gives a finished batch on; an error ends the assembly with it.
  using Emit = std::function<Status(storeapi::SeriesBatchPtr)>;

  SeriesAssembler(const RemoteReadRequest& request, const RemoteReadOptions& options, Emit emit);

  // Takes the series of a batch with Prometheus' own labels. Chunks are translated where they must be.
  Status Add(const storeapi::SeriesBatchPtr& source);
  // No more come: gives out what waits.
  Status Finish();
  // The limit is reached: the rest need not be read.
  bool full() const { return request_.limit > 0 && emitted_ >= request_.limit; }

 private:
  struct Held {
    storeapi::SeriesBatchPtr batch;
    uint32_t index;
  };
  using Window = storeapi::SortWindow<Held>;

  Status Append(LabelsView labels, const storeapi::SeriesBatchPtr& batch, uint32_t index);
  Status EmitPending();

  const RemoteReadRequest& request_;
  Emit emit_;
  storeapi::LabelRewriter rewriter_;
  storeapi::ShardFilter shard_;
  Window window_;
  std::optional<storeapi::SpillSort> spill_;
  std::vector<Window::Item> released_;
  std::shared_ptr<storeapi::SeriesBatch> pending_;
  size_t pending_bytes_ = 0;
  Labels last_;  // of the series appended last
  int64_t emitted_ = 0;
};

}  // namespace gauntlet::sidecar
