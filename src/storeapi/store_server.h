// StoreServer: a Store served as gRPC's thanos.Store, within the limits of one request.
//
// Threads: thread-safe.

#pragma once

#include <cstdint>

#include "rpc/store.h"
#include "storeapi/store.h"

namespace gauntlet::storeapi {

struct StoreServerOptions {
  uint64_t request_series_max = 0, request_samples_max = 0;  // --store.limits.*; 0 = none
  // Under the abort strategy any failure is told as Aborted: for proxies.
  bool failures_abort = false;
  // LabelValues of no label is InvalidArgument; the original's store gateway has no values instead.
  bool refuse_empty_label = true;
};

class StoreServer : public rpc::StoreService {
 public:
  // `store` is borrowed.
  StoreServer(Store& store, StoreServerOptions options) : store_(store), options_(options) {}

  net::GrpcStatus Series(const wire::SeriesRequest& request, rpc::SeriesWriter& out,
                         const CallContext& context) override;
  net::GrpcStatus LabelNames(const wire::LabelNamesRequest& request, wire::LabelsResponse* response,
                             const CallContext& context) override;
  net::GrpcStatus LabelValues(const wire::LabelValuesRequest& request, wire::LabelsResponse* response,
                              const CallContext& context) override;

 private:
  net::GrpcStatus Failed(const Status& status, bool aborts) const;

  Store& store_;
  const StoreServerOptions options_;
};

}  // namespace gauntlet::storeapi
