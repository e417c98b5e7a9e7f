// PrometheusStore: StoreAPI answered by a real Prometheus.
//
// Upstream: thanos pkg/store/prometheus.go
// Threads:  thread-safe.

#pragma once

#include <memory>
#include <string>

#include "sidecar/heartbeat.h"
#include "sidecar/local_blocks.h"
#include "sidecar/prometheus_api.h"
#include "sidecar/remote_read.h"
#include "storeapi/store.h"

namespace gauntlet {
class Executor;
}

namespace gauntlet::sidecar {

class PrometheusStore : public storeapi::Store {
 public:
  // All borrowed for the store's life. `blocks` may be null: then everything is asked of Prometheus.
  PrometheusStore(const PrometheusApi& api, const Heartbeat& heartbeat, Executor& executor, RemoteReadOptions options,
                  LocalBlocks* blocks = nullptr);

  std::unique_ptr<storeapi::SeriesStream> Series(const storeapi::SeriesRequest& request,
                                                 const storeapi::CallContext& context) override;
  Result<storeapi::LabelsAnswer> LabelNames(const storeapi::LabelsRequest& request,
                                            const storeapi::CallContext& context) override;
  Result<storeapi::LabelsAnswer> LabelValues(const storeapi::LabelsRequest& request,
                                             const storeapi::CallContext& context) override;

 private:
  // Distinct label sets that match; by /api/v1/series, or where that refuses the matchers, by remote read.
  Result<std::vector<Labels>> MatchingSeries(const Matchers& matchers, int64_t start_ms, int64_t end_ms, int64_t limit,
                                             const Cancel& cancel) const;
  // Chunks: of the times that local blocks cover from these, the rest by remote read.
  std::unique_ptr<storeapi::SeriesStream> Samples(RemoteReadRequest read, const Cancel& cancel) const;
  std::unique_ptr<storeapi::SeriesStream> LabelsOnly(const storeapi::SeriesRequest& request, RemoteReadRequest read,
                                                     const Cancel& cancel) const;

  const PrometheusApi& api_;
  const Heartbeat& heartbeat_;
  Executor& executor_;
  const RemoteReadOptions options_;
  LocalBlocks* const blocks_;
};

// Prometheus' API refuses matchers that all match the empty value; remote read does not.
bool ApiAccepts(const Matchers& matchers);

}  // namespace gauntlet::sidecar
