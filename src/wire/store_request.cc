#include "wire/store_request.h"

#include "proto/thanos/store.pb.h"
#include "wire/fields.h"
#include "wire/proto_convert.h"

namespace gauntlet::wire {
namespace {

PartialResponse ToStrategy(thanos::PartialResponseStrategy strategy) {
  return strategy == thanos::ABORT ? PartialResponse::kAbort : PartialResponse::kWarn;
}

thanos::PartialResponseStrategy FromStrategy(PartialResponse strategy) {
  return strategy == PartialResponse::kAbort ? thanos::ABORT : thanos::WARN;
}

// The message's `hints` field, which our structs hold as bytes.
template <typename Message>
std::string ToHints(const Message& message) {
  return message.has_hints() ? message.hints().SerializeAsString() : std::string();
}

template <typename Message>
void FromHints(const std::string& hints, Message* message) {
  if (!hints.empty()) message->mutable_hints()->ParseFromString(hints);
}

QueryHints ToQueryHints(const thanos::QueryHints& message) {
  QueryHints hints;
  hints.step_ms = message.step_millis();
  hints.func = message.func().name();
  hints.by = message.grouping().by();
  hints.grouping = ToStrings(message.grouping().labels());
  hints.range_ms = message.range().millis();
  hints.projection_labels = ToStrings(message.projection_labels());
  hints.projection_include = message.projection_include();
  hints.series_hash_label = message.series_hash_label_name();
  return hints;
}

// All three parts are sent always: Thanos uses them unasked.
void FromQueryHints(const QueryHints& hints, thanos::QueryHints* message) {
  message->set_step_millis(hints.step_ms);
  message->mutable_func()->set_name(hints.func);
  message->mutable_grouping()->set_by(hints.by);
  message->mutable_grouping()->mutable_labels()->Assign(hints.grouping.begin(), hints.grouping.end());
  message->mutable_range()->set_millis(hints.range_ms);
  message->mutable_projection_labels()->Assign(hints.projection_labels.begin(), hints.projection_labels.end());
  message->set_projection_include(hints.projection_include);
  message->set_series_hash_label_name(hints.series_hash_label);
}

template <typename Message>
Status ToLabelNames(const Message& message, const MatcherMaker& make, LabelNamesRequest* request) {
  GN_ASSIGN(request->matchers, ToMatchers(message.matchers(), make));
  request->partial_response_disabled = message.partial_response_disabled();
  request->partial_response = ToStrategy(message.partial_response_strategy());
  request->start_ms = message.start();
  request->end_ms = message.end();
  request->hints = ToHints(message);
  request->without_replica_labels = ToStrings(message.without_replica_labels());
  request->limit = message.limit();
  return {};
}

template <typename Message>
void FromLabelNames(const LabelNamesRequest& request, Message* message) {
  FromMatchers(request.matchers, message->mutable_matchers());
  message->set_partial_response_disabled(request.partial_response_disabled);
  message->set_partial_response_strategy(FromStrategy(request.partial_response));
  message->set_start(request.start_ms);
  message->set_end(request.end_ms);
  FromHints(request.hints, message);
  message->mutable_without_replica_labels()->Assign(request.without_replica_labels.begin(),
                                                    request.without_replica_labels.end());
  message->set_limit(request.limit);
}

}  // namespace

Result<SeriesRequest> DecodeSeriesRequest(std::string_view bytes, const MatcherMaker& make) {
  thanos::SeriesRequest message;
  GN_TRY(ParseMessage(bytes, &message));
  SeriesRequest request;
  GN_ASSIGN(request.matchers, ToMatchers(message.matchers(), make));
  request.min_time_ms = message.min_time();
  request.max_time_ms = message.max_time();
  request.max_resolution_ms = message.max_resolution_window();
  for (int aggregate : message.aggregates())
    if (aggregate >= 0 && aggregate <= 5) request.aggregates.push_back(static_cast<Aggregate>(aggregate));
  request.partial_response_disabled = message.partial_response_disabled();
  request.partial_response = ToStrategy(message.partial_response_strategy());
  request.skip_chunks = message.skip_chunks();
  request.hints = ToHints(message);
  request.step_ms = message.step();
  request.range_ms = message.range();
  if (message.has_query_hints()) request.query_hints = ToQueryHints(message.query_hints());
  if (message.has_shard_info())
    request.shard = {message.shard_info().shard_index(), message.shard_info().total_shards(), message.shard_info().by(),
                     ToStrings(message.shard_info().labels())};
  request.without_replica_labels = ToStrings(message.without_replica_labels());
  request.limit = message.limit();
  request.batch_size = message.response_batch_size();
  return request;
}

std::string EncodeSeriesRequest(const SeriesRequest& request) {
  thanos::SeriesRequest message;
  message.set_min_time(request.min_time_ms);
  message.set_max_time(request.max_time_ms);
  FromMatchers(request.matchers, message.mutable_matchers());
  message.set_max_resolution_window(request.max_resolution_ms);
  for (Aggregate aggregate : request.aggregates) message.add_aggregates(static_cast<thanos::Aggr>(aggregate));
  message.set_partial_response_disabled(request.partial_response_disabled);
  message.set_partial_response_strategy(FromStrategy(request.partial_response));
  message.set_skip_chunks(request.skip_chunks);
  FromHints(request.hints, &message);
  message.set_step(request.step_ms);
  message.set_range(request.range_ms);
  if (request.query_hints) FromQueryHints(*request.query_hints, message.mutable_query_hints());
  if (request.shard.total != 0) {
    message.mutable_shard_info()->set_shard_index(request.shard.index);
    message.mutable_shard_info()->set_total_shards(request.shard.total);
    message.mutable_shard_info()->set_by(request.shard.by);
    message.mutable_shard_info()->mutable_labels()->Assign(request.shard.labels.begin(), request.shard.labels.end());
  }
  message.mutable_without_replica_labels()->Assign(request.without_replica_labels.begin(),
                                                   request.without_replica_labels.end());
  message.set_limit(request.limit);
  message.set_response_batch_size(request.batch_size);
  return message.SerializeAsString();
}

Result<LabelNamesRequest> DecodeLabelNamesRequest(std::string_view bytes, const MatcherMaker& make) {
  thanos::LabelNamesRequest message;
  GN_TRY(ParseMessage(bytes, &message));
  LabelNamesRequest request;
  GN_TRY(ToLabelNames(message, make, &request));
  return request;
}

Result<LabelValuesRequest> DecodeLabelValuesRequest(std::string_view bytes, const MatcherMaker& make) {
  thanos::LabelValuesRequest message;
  GN_TRY(ParseMessage(bytes, &message));
  LabelValuesRequest request;
  GN_TRY(ToLabelNames(message, make, &request));
  request.label = message.label();
  return request;
}

std::string EncodeLabelNamesRequest(const LabelNamesRequest& request) {
  thanos::LabelNamesRequest message;
  FromLabelNames(request, &message);
  return message.SerializeAsString();
}

std::string EncodeLabelValuesRequest(const LabelValuesRequest& request) {
  thanos::LabelValuesRequest message;
  FromLabelNames(request, &message);
  message.set_label(request.label);
  return message.SerializeAsString();
}

// By hand, since a label can have a million values.
std::string EncodeLabelsResponse(const LabelsResponse& response) {
  size_t bytes = BytesSize(response.hints.size());
  for (const std::string& value : response.values) bytes += BytesSize(value.size());
  std::string out;
  out.reserve(bytes);
  for (const std::string& value : response.values) PutBytes(out, 1, value);
  for (const std::string& warning : response.warnings) PutBytes(out, 2, warning);
  if (!response.hints.empty()) PutBytes(out, 3, response.hints);
  return out;
}

Result<LabelsResponse> DecodeLabelsResponse(std::string_view bytes) {
  LabelsResponse response;
  FieldReader fields(bytes);
  while (fields.Next()) {
    if (fields.key() == BytesKey(1)) response.values.emplace_back(fields.bytes());
    if (fields.key() == BytesKey(2)) response.warnings.emplace_back(fields.bytes());
    if (fields.key() == BytesKey(3)) response.hints = fields.bytes();
  }
  if (!fields.ok()) return Status(Code::kCorrupt, "labels response: malformed field");
  return response;
}

}  // namespace gauntlet::wire
