// ObservedStore: a BucketStore behind its gate, with what each Series call did told to the metrics.
//
// Threads: thread-safe.

#pragma once

#include <memory>

#include "server/gate.h"
#include "store/bucket_store.h"
#include "store/store_metrics.h"
#include "storeapi/store.h"

namespace gauntlet::store {

class ObservedStore : public storeapi::Store {
 public:
  // All borrowed.
  ObservedStore(BucketStore& store, server::Gate& gate, StoreMetrics& metrics)
      : store_(store), gate_(gate), metrics_(metrics) {}

  std::unique_ptr<storeapi::SeriesStream> Series(const storeapi::SeriesRequest& request,
                                                 const storeapi::CallContext& context) override;
  Result<storeapi::LabelsAnswer> LabelNames(const storeapi::LabelsRequest& request,
                                            const storeapi::CallContext& context) override {
    return store_.LabelNames(request, context);
  }
  Result<storeapi::LabelsAnswer> LabelValues(const storeapi::LabelsRequest& request,
                                             const storeapi::CallContext& context) override {
    return store_.LabelValues(request, context);
  }

 private:
  BucketStore& store_;
  server::Gate& gate_;
  StoreMetrics& metrics_;
};

}  // namespace gauntlet::store
