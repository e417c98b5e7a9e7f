#include "query/querier_info.h"

#include <algorithm>
#include <map>

#include "model/time.h"

namespace gauntlet::query {

net::GrpcStatus QuerierInfo::GetInfo(rpc::Info* info, const rpc::CallContext&) {
  info->component = "query";
  rpc::StoreInfo store;
  store.min_time_ms = kMaxTimeMs;
  store.max_time_ms = kMinTimeMs;
  // Databases of the same labels, seen through several endpoints, become one over all their times.
  std::map<Labels, rpc::TsdbInfo> databases;
  for (const storeapi::EndpointPtr& endpoint : endpoints_.Stores()) {
    if (!endpoint->health.ok()) continue;
    store.min_time_ms = std::min(store.min_time_ms, endpoint->min_time_ms);
    store.max_time_ms = std::max(store.max_time_ms, endpoint->max_time_ms);
    for (const storeapi::TsdbInfo& tsdb : endpoint->tsdbs) {
      LabelsBuilder builder(tsdb.labels);
      for (const Label& label : selector_labels_) builder.Set(label.name, label.value);
      Labels labels = builder.Build();
      auto [at, fresh] = databases.try_emplace(labels, rpc::TsdbInfo{labels, tsdb.min_time_ms, tsdb.max_time_ms});
      if (fresh) continue;
      at->second.min_time_ms = std::min(at->second.min_time_ms, tsdb.min_time_ms);
      at->second.max_time_ms = std::max(at->second.max_time_ms, tsdb.max_time_ms);
    }
  }
  if (store.min_time_ms > store.max_time_ms) {
    // No endpoints yet: anything may come.
    store.min_time_ms = kMinTimeMs;
    store.max_time_ms = kMaxTimeMs;
  }
  for (auto& [labels, tsdb] : databases) {
    info->label_sets.push_back(labels);
    store.tsdbs.push_back(std::move(tsdb));
  }
  if (databases.empty() && !selector_labels_.empty()) info->label_sets.push_back(selector_labels_);
  store.supports_sharding = store.supports_without_replica_labels = true;
  info->exemplars = rpc::ExemplarsInfo{store.min_time_ms, store.max_time_ms};
  info->store = std::move(store);
  info->rules = info->targets = info->metadata = info->query = info->status = true;
  return {};
}

}  // namespace gauntlet::query
