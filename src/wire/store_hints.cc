#include <google/protobuf/any.pb.h>

#include "proto/thanos/hints.pb.h"
#include "wire/proto_convert.h"
#include "wire/store_request.h"

namespace gauntlet::wire {
namespace {

constexpr const char* kTypePrefix = "type.googleapis.com/";

std::string Pack(const google::protobuf::Message& message) {
  google::protobuf::Any any;
  any.set_type_url(kTypePrefix + message.GetTypeName());
  any.set_value(message.SerializeAsString());
  return any.SerializeAsString();
}

Status Unpack(std::string_view bytes, google::protobuf::Message* message) {
  google::protobuf::Any any;
  GN_TRY(ParseMessage(bytes, &any));
  size_t slash = any.type_url().rfind('/');
  if (slash == std::string::npos || any.type_url().substr(slash + 1) != message->GetTypeName())
    return Status(Code::kInvalid, "hints: want " + message->GetTypeName() + ", got \"" + any.type_url() + "\"");
  return ParseMessage(any.value(), message);
}

// Calls `use` with the member and the accessors of each number, so that they are named once.
template <typename Stats, typename Use>
void ForEachCount(Stats& stats, Use use) {
  use(1, stats.blocks_queried);
  use(2, stats.merged_series_count);
  use(3, stats.merged_chunks_count);
  use(4, stats.postings_touched);
  use(5, stats.postings_touched_size_sum);
  use(6, stats.postings_to_fetch);
  use(7, stats.postings_fetched);
  use(8, stats.postings_fetched_size_sum);
  use(9, stats.postings_fetch_count);
  use(10, stats.series_touched);
  use(11, stats.series_touched_size_sum);
  use(12, stats.series_fetched);
  use(13, stats.series_fetched_size_sum);
  use(14, stats.series_fetch_count);
  use(15, stats.chunks_touched);
  use(16, stats.chunks_touched_size_sum);
  use(17, stats.chunks_fetched);
  use(18, stats.chunks_fetched_size_sum);
  use(19, stats.chunks_fetch_count);
  use(20, stats.data_downloaded_size_sum);
}

void FromDuration(int64_t ns, google::protobuf::Duration* duration) {
  duration->set_seconds(ns / 1'000'000'000);
  duration->set_nanos(static_cast<int32_t>(ns % 1'000'000'000));
}

int64_t ToNs(const google::protobuf::Duration& duration) {
  constexpr int64_t kSecondsMax = 9'000'000'000;  // what fits
  return std::clamp(duration.seconds(), -kSecondsMax, kSecondsMax) * 1'000'000'000 + duration.nanos();
}

void FromStats(const QueryStats& stats, hintspb::QueryStats* message) {
  const auto* reflection = message->GetReflection();
  const auto* descriptor = message->GetDescriptor();
  ForEachCount(stats, [&](int number, const int64_t& count) {
    if (count != 0) reflection->SetInt64(message, descriptor->FindFieldByNumber(number), count);
  });
  FromDuration(stats.get_all_duration_ns, message->mutable_get_all_duration());
  FromDuration(stats.merge_duration_ns, message->mutable_merge_duration());
}

QueryStats ToStats(const hintspb::QueryStats& message) {
  QueryStats stats;
  const auto* reflection = message.GetReflection();
  const auto* descriptor = message.GetDescriptor();
  ForEachCount(stats, [&](int number, int64_t& count) {
    count = reflection->GetInt64(message, descriptor->FindFieldByNumber(number));
  });
  stats.get_all_duration_ns = ToNs(message.get_all_duration());
  stats.merge_duration_ns = ToNs(message.merge_duration());
  return stats;
}

template <typename Message>
std::string PackRequest(const RequestHints& hints, Message message) {
  FromMatchers(hints.block_matchers, message.mutable_block_matchers());
  return Pack(message);
}

template <typename Message>
std::string PackResponse(const ResponseHints& hints, Message message) {
  for (const std::string& block : hints.queried_blocks) message.add_queried_blocks()->set_id(block);
  return Pack(message);
}

template <typename Message>
Result<RequestHints> UnpackRequest(std::string_view any, Message* message) {
  RequestHints hints;
  if (any.empty()) return hints;
  GN_TRY(Unpack(any, message));
  GN_ASSIGN(hints.block_matchers, ToMatchers(message->block_matchers()));
  return hints;
}

template <typename Message>
Result<ResponseHints> UnpackResponse(std::string_view any, Message* message) {
  ResponseHints hints;
  if (any.empty()) return hints;
  GN_TRY(Unpack(any, message));
  for (const auto& block : message->queried_blocks()) hints.queried_blocks.push_back(block.id());
  return hints;
}

}  // namespace

std::string EncodeRequestHints(HintsOf call, const RequestHints& hints) {
  if (call == HintsOf::kLabelNames) return PackRequest(hints, hintspb::LabelNamesRequestHints());
  if (call == HintsOf::kLabelValues) return PackRequest(hints, hintspb::LabelValuesRequestHints());
  hintspb::SeriesRequestHints message;
  message.set_enable_query_stats(hints.enable_query_stats);
  return PackRequest(hints, std::move(message));
}

std::string EncodeResponseHints(HintsOf call, const ResponseHints& hints) {
  if (call == HintsOf::kLabelNames) return PackResponse(hints, hintspb::LabelNamesResponseHints());
  if (call == HintsOf::kLabelValues) return PackResponse(hints, hintspb::LabelValuesResponseHints());
  hintspb::SeriesResponseHints message;
  if (hints.stats) FromStats(*hints.stats, message.mutable_query_stats());
  return PackResponse(hints, std::move(message));
}

Result<RequestHints> DecodeRequestHints(HintsOf call, std::string_view any) {
  hintspb::SeriesRequestHints series;
  hintspb::LabelNamesRequestHints names;
  hintspb::LabelValuesRequestHints values;
  if (call == HintsOf::kLabelNames) return UnpackRequest(any, &names);
  if (call == HintsOf::kLabelValues) return UnpackRequest(any, &values);
  GN_ASSIGN(RequestHints hints, UnpackRequest(any, &series));
  hints.enable_query_stats = series.enable_query_stats();
  return hints;
}

Result<ResponseHints> DecodeResponseHints(HintsOf call, std::string_view any) {
  hintspb::SeriesResponseHints series;
  hintspb::LabelNamesResponseHints names;
  hintspb::LabelValuesResponseHints values;
  if (call == HintsOf::kLabelNames) return UnpackResponse(any, &names);
  if (call == HintsOf::kLabelValues) return UnpackResponse(any, &values);
  GN_ASSIGN(ResponseHints hints, UnpackResponse(any, &series));
  if (series.has_query_stats()) hints.stats = ToStats(series.query_stats());
  return hints;
}

}  // namespace gauntlet::wire
