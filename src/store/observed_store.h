// ObservedStore: a BucketStore behind its gate, with what each Series call did told to the metrics.
//
// Threads: thread-safe.

#pragma once

#include <memory>

#include "server/gate.h"
#include "store/bucket_store.h"
#include "store/call_admission.h"
#include "store/store_metrics.h"
#include "storeapi/store.h"

namespace gauntlet::store {

class ObservedStore : public storeapi::Store {
 public:
  // All borrowed. A call passes the gate, then the admission by memory: to wait is better than to be refused.
  ObservedStore(BucketStore& store, server::Gate& gate, CallAdmission& admission, StoreMetrics& metrics)
      : store_(store), gate_(gate), admission_(admission), metrics_(metrics) {}

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
  CallAdmission& admission_;
  StoreMetrics& metrics_;
};

}  // namespace gauntlet::store
