// PrometheusStore: StoreAPI answered by a real Prometheus.
//
// Upstream: thanos pkg/store/prometheus.go
// Threads:  thread-safe.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sidecar/heartbeat.h"
#include "sidecar/local_blocks.h"
#include "sidecar/prometheus_api.h"
#include "sidecar/remote_read.h"
#include "storeapi/store.h"
#include "tsdb/block/block_directory.h"

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
  // What a label request asks of whom: blocks of the times that they cover, Prometheus from `start_ms` on, if at all.
  struct Parts {
    tsdb::BlockList blocks;
    int64_t start_ms;
    bool prometheus = true;
  };
  Parts Split(int64_t start_ms, int64_t end_ms) const;
  using AskBlock = std::function<Result<std::vector<std::string>>(const tsdb::Block&)>;
  using AskPrometheus = std::function<Result<std::vector<std::string>>(int64_t start_ms)>;
  // What both say, in any order; all of Prometheus when a block cannot be read.
  Result<std::vector<std::string>> AskBoth(int64_t start_ms, int64_t end_ms, const AskBlock& block,
                                           const AskPrometheus& prometheus, const Cancel& cancel) const;

  // Distinct label sets that match; by /api/v1/series, or where that refuses the matchers, by remote read.
  Result<std::vector<Labels>> MatchingSeries(const Matchers& matchers, int64_t start_ms, int64_t end_ms, int64_t limit,
                                             const Cancel& cancel) const;
  Result<bool> AnyMatches(const Matchers& matchers, int64_t start_ms, int64_t end_ms, const Cancel& cancel) const;
  // Of the times that local blocks cover from these, the rest from Prometheus.
  std::unique_ptr<storeapi::SeriesStream> Select(RemoteReadRequest read, const Cancel& cancel) const;
  // By remote read, or where no chunks are wanted by /api/v1/series.
  std::unique_ptr<storeapi::SeriesStream> SelectFromPrometheus(RemoteReadRequest read, const Cancel& cancel) const;
  std::unique_ptr<storeapi::SeriesStream> LabelsOnly(const RemoteReadRequest& read, const Cancel& cancel) const;

  const PrometheusApi& api_;
  const Heartbeat& heartbeat_;
  Executor& executor_;
  const RemoteReadOptions options_;
  LocalBlocks* const blocks_;
};

// Prometheus' API refuses matchers that all match the empty value; remote read does not.
bool ApiAccepts(const Matchers& matchers);

}  // namespace gauntlet::sidecar
