#include "api/query_settings.h"

#include <utility>

#include "json/reader.h"

namespace gauntlet::api {
namespace {

storeapi::ShardInfo ParseShard(Parameters& parameters) {
  std::string_view text = parameters.Text("shard_info");
  storeapi::ShardInfo shard;
  if (text.empty()) return shard;
  auto document = json::Document::Parse(text);
  if (!document.ok()) {
    parameters.Refuse("shard_info", document.status());
    return shard;
  }
  json::Value root = document->root();
  // Field names of the protobuf's JSON, in both of its spellings.
  auto number = [&](const char* snake, const char* camel) {
    json::Value value = root.Get(snake).exists() ? root.Get(snake) : root.Get(camel);
    return value.Int().value_or(0);
  };
  shard.index = number("shard_index", "shardIndex");
  shard.total = number("total_shards", "totalShards");
  shard.by = root.Get("by").Bool().value_or(false);
  json::Value labels = root.Get("labels");
  for (size_t i = 0; i < labels.size(); ++i) shard.labels.emplace_back(labels[i].String().value_or(""));
  return shard;
}

}  // namespace

query::SelectScope ParseScope(const QuerySettings& settings, const net::HttpRequest& request, Parameters& parameters) {
  query::SelectScope scope;
  scope.deduplicate = parameters.Bool("dedup", true);
  scope.replica_labels = parameters.List("replicaLabels[]");
  if (scope.replica_labels.empty()) scope.replica_labels = settings.replica_labels;
  scope.algorithm = settings.algorithm;
  scope.store_matchers = parameters.Selectors("storeMatch[]");
  scope.partial_response = parameters.Bool("partial_response", settings.partial_response)
                               ? storeapi::PartialResponse::kWarn
                               : storeapi::PartialResponse::kAbort;
  scope.shard = ParseShard(parameters);
  scope.tenant = request.tenant;
  scope.request_id = request.headers.Get("X-Request-ID");
  if (auto trace = telemetry::SpanContext::FromTraceparent(request.headers.Get("traceparent"))) scope.trace = *trace;
  scope.concurrent_selects_max = settings.concurrent_selects_max;
  return scope;
}

int64_t ParseMaxResolution(Parameters& parameters, int64_t step_ms, int64_t fallback_ms) {
  if (parameters.Text("max_source_resolution") == "auto") return step_ms / 5;
  int64_t resolution = parameters.Duration("max_source_resolution", fallback_ms);
  if (resolution < 0) {
    parameters.Refuse(
        "max_source_resolution",
        Status(Code::kInvalid, "negative 'max_source_resolution' is not accepted. Try a positive integer"));
    return fallback_ms;
  }
  return resolution;
}

}  // namespace gauntlet::api
