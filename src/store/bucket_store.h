// BucketStore: StoreAPI over the blocks of a bucket.
//
// Upstream: thanos pkg/store/bucket.go (BucketStore)
// Threads:  thread-safe.

#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/memory_budget.h"
#include "base/mutex.h"
#include "model/matcher.h"
#include "rpc/info.h"
#include "store/block_set.h"
#include "store/bucket_block.h"
#include "store/series_walk.h"
#include "storeapi/store.h"

namespace gauntlet::store {

// The blocks that are served at one moment. Immutable.
class ServedBlocks {
 public:
  explicit ServedBlocks(std::vector<BucketBlockPtr> blocks);

  const std::vector<BucketBlockPtr>& blocks() const { return blocks_; }
  const std::vector<BlockSet>& sets() const { return sets_; }
  // Of all samples; INT64_MAX and INT64_MIN when there are no blocks.
  int64_t mint_ms() const { return mint_ms_; }
  int64_t maxt_ms() const { return maxt_ms_; }

 private:
  std::vector<BucketBlockPtr> blocks_;
  std::vector<BlockSet> sets_;  // by external labels
  int64_t mint_ms_, maxt_ms_;
};

struct TimeSpan {
  int64_t mint_ms = INT64_MIN, maxt_ms = INT64_MAX;
  TimeSpan And(TimeSpan other) const { return {std::max(mint_ms, other.mint_ms), std::min(maxt_ms, other.maxt_ms)}; }
};

struct BucketStoreOptions {
  // What is served of the blocks, as of now; null = all. Asked for at each call: bounds may be relative to now.
  std::function<TimeSpan()> times;
  uint64_t download_bytes_max = 0;  // per call; 0 = all
  size_t call_bytes = 16 << 20;     // that the blocks of a call read ahead, in all; a little more when there are many
};

class BucketStore : public storeapi::Store {
 public:
  // `executor` is borrowed, `budget` too and may be null.
  BucketStore(BucketStoreOptions options, Executor& executor, MemoryBudget* budget);

  // What is served from now on; calls that go on keep their blocks.
  void Serve(std::shared_ptr<const ServedBlocks> blocks);
  std::shared_ptr<const ServedBlocks> served() const;
  // For Info: times clipped to what is served.
  rpc::StoreInfo info() const;

  // A Series call under way, with what it did so far. `request` is null when no block was asked.
  struct SeriesCall {
    std::unique_ptr<storeapi::SeriesStream> stream;  // never null
    size_t blocks = 0;
    std::shared_ptr<const BlockRequest> request;
  };
  // What it holds is charged to `memory`, which may be null.
  SeriesCall Start(const storeapi::SeriesRequest& request, const storeapi::CallContext& context,
                   std::shared_ptr<MemoryBudget> memory);
  std::unique_ptr<storeapi::SeriesStream> Series(const storeapi::SeriesRequest& request,
                                                 const storeapi::CallContext& context) override;
  Result<storeapi::LabelsAnswer> LabelNames(const storeapi::LabelsRequest& request,
                                            const storeapi::CallContext& context) override;
  Result<storeapi::LabelsAnswer> LabelValues(const storeapi::LabelsRequest& request,
                                             const storeapi::CallContext& context) override;

 private:
  struct Chosen {
    BucketBlockPtr block;
    Matchers matchers;  // without those on external labels
  };

  // The blocks that may have what is asked for. kInvalid for hints that are none.
  Result<std::vector<Chosen>> Choose(wire::HintsOf call, const std::string& hints, const Matchers& matchers,
                                     int64_t mint_ms, int64_t maxt_ms, int64_t max_resolution_ms) const;
  using AskBlock = std::function<Status(const Chosen& chosen, std::vector<std::string>* values)>;
  // Asks blocks side by side; values are sorted, once each, and cut.
  Result<storeapi::LabelsAnswer> AskAll(wire::HintsOf call, const storeapi::LabelsRequest& request,
                                        const storeapi::CallContext& context, const AskBlock& ask) const;
  std::shared_ptr<MemoryBudget> MemoryOfCall() const;
  TimeSpan Times() const { return options_.times ? options_.times() : TimeSpan(); }
  // Labels of series alone, of a label request.
  std::shared_ptr<BlockRequest> WalkRequest(const storeapi::LabelsRequest& request) const;

  const BucketStoreOptions options_;
  Executor& executor_;
  MemoryBudget* const budget_;
  mutable Mutex mutex_;
  std::shared_ptr<const ServedBlocks> served_ GN_GUARDED_BY(mutex_);
};

}  // namespace gauntlet::store
