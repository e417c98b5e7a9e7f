// Proxy: one Store of many endpoints: chooses who may have something, asks them at the same time, merges what comes.
//
// An endpoint's failure is a warning that names it (kWarn), or ends the answer (kAbort) unless live replicas have what
// it would have given. An endpoint that is known and cannot be asked counts as failed: what it has is missing.
//
// Upstream: thanos pkg/store/proxy.go, proxy_merge.go
// Threads:  Proxy is thread-safe; a MergedStream is for one thread at a time.

#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storeapi/endpoint.h"
#include "storeapi/merge.h"
#include "storeapi/store.h"
#include "telemetry/log.h"

namespace gauntlet {
class Executor;
class MemoryBudget;
}  // namespace gauntlet

namespace gauntlet::storeapi {

struct ProxyOptions {
  Labels selector_labels;  // external labels of the proxy itself
  // Which of an endpoint's databases are to be asked: nullopt for none, otherwise matchers to add. Null: all.
  std::function<std::optional<Matchers>(const Endpoint&)> select_databases;
  bool lazy = false;  // read ahead only `lazy_batches_max` frames
  size_t lazy_batches_max = 20;
  bool no_stores_is_error = true;  // "No StoreAPIs available" under kAbort when there are no endpoints at all
};

// What one endpoint gave to one answer.
struct FanoutEntry {
  std::string address;
  double seconds = 0;
  uint64_t bytes = 0, responses = 0, series = 0, chunks = 0, samples = 0;
};

// Merged series with their sources kept apart: a replica's chunks stay together.
class MergedStream {
 public:
  virtual ~MergedStream() = default;
  virtual Result<bool> Next(MergedSeries* series) = 0;
  virtual std::vector<std::string> TakeWarnings() = 0;
  // Complete after the end.
  virtual std::vector<FanoutEntry> fanout() const = 0;
};

// What one asker adds to a request.
struct ProxyScope {
  std::vector<Matchers> store_matchers;  // storeMatch[]
  MemoryBudget* budget = nullptr;        // charged for answers that must be held whole
};

class Proxy : public Store {
 public:
  // All borrowed for the proxy's life. Calls block threads of `executor`.
  Proxy(ProxyOptions options, EndpointSource endpoints, Executor& executor, telemetry::Logger logger);

  std::unique_ptr<MergedStream> Select(const SeriesRequest& request, const CallContext& context,
                                       const ProxyScope& scope);
  Result<LabelsAnswer> LabelNames(const LabelsRequest& request, const CallContext& context, const ProxyScope& scope);
  Result<LabelsAnswer> LabelValues(const LabelsRequest& request, const CallContext& context, const ProxyScope& scope);

  std::unique_ptr<SeriesStream> Series(const SeriesRequest& request, const CallContext& context) override;
  Result<LabelsAnswer> LabelNames(const LabelsRequest& request, const CallContext& context) override {
    return LabelNames(request, context, {});
  }
  Result<LabelsAnswer> LabelValues(const LabelsRequest& request, const CallContext& context) override {
    return LabelValues(request, context, {});
  }

 private:
  struct Target {
    EndpointPtr endpoint;
    Matchers extra;  // added when only some of its databases are selected
  };
  using AskLabels = Result<LabelsAnswer> (Store::*)(const LabelsRequest&, const CallContext&);

  std::vector<Target> Choose(int64_t min_time_ms, int64_t max_time_ms, const Matchers& matchers,
                             const ProxyScope& scope, bool* any) const;
  std::unique_ptr<SeriesStream> Ask(const Target& target, const SeriesRequest& request, const CallContext& context,
                                    const ProxyScope& scope, bool alone);
  Result<LabelsAnswer> Collect(const LabelsRequest& request, const CallContext& context, const ProxyScope& scope,
                               const char* what, AskLabels ask);

  const ProxyOptions options_;
  const EndpointSource endpoints_;
  Executor& executor_;
  telemetry::Logger logger_;
};

}  // namespace gauntlet::storeapi
