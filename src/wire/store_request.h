// StoreAPI's requests, the answers of its label calls, and the hints that travel inside: plain structs and their bytes.
//
// Each comes once per call, so protobuf's classes do the work. Series answers, which do not, are in series.h.
//
// Format:  proto/thanos/store.proto, proto/thanos/hints.proto
// Threads: values and pure functions.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "model/matcher.h"
#include "wire/series.h"

namespace gauntlet::wire {

// What becomes of a source's failure: a warning, or the end of the call. The numbers of the contract.
enum class PartialResponse : uint8_t { kWarn, kAbort };

// Where in its expression the selector stands.
struct QueryHints {
  int64_t step_ms = 0;
  std::string func;  // nearest function or aggregation
  bool by = false;
  std::vector<std::string> grouping;
  int64_t range_ms = 0;
  std::vector<std::string> projection_labels;
  bool projection_include = false;
  std::string series_hash_label;
  bool operator==(const QueryHints&) const = default;
};

// Vertical sharding; total 0 = none.
struct ShardInfo {
  int64_t index = 0, total = 0;
  bool by = false;
  std::vector<std::string> labels;
  bool operator==(const ShardInfo&) const = default;
};

struct SeriesRequest {
  int64_t min_time_ms = 0, max_time_ms = 0;
  Matchers matchers;
  int64_t max_resolution_ms = 0;  // coarsest downsampling allowed
  std::vector<Aggregate> aggregates;
  bool partial_response_disabled = false;  // how old clients say kAbort
  PartialResponse partial_response = PartialResponse::kWarn;
  bool skip_chunks = false;
  std::string hints;  // a google.protobuf.Any, "" = none
  int64_t step_ms = 0, range_ms = 0;
  std::optional<QueryHints> query_hints;
  ShardInfo shard;
  std::vector<std::string> without_replica_labels;
  int64_t limit = 0;       // series at most; 0 = all
  int64_t batch_size = 0;  // series in a frame; 0 and 1 = no batches

  bool aborts() const { return partial_response_disabled || partial_response == PartialResponse::kAbort; }
};

struct LabelNamesRequest {
  bool partial_response_disabled = false;
  PartialResponse partial_response = PartialResponse::kWarn;
  int64_t start_ms = 0, end_ms = 0;
  std::string hints;
  Matchers matchers;
  std::vector<std::string> without_replica_labels;
  int64_t limit = 0;

  bool aborts() const { return partial_response_disabled || partial_response == PartialResponse::kAbort; }
};

struct LabelValuesRequest : LabelNamesRequest {
  std::string label;
};

// The answer of LabelNames and of LabelValues, which are the same bytes.
struct LabelsResponse {
  std::vector<std::string> values;
  std::vector<std::string> warnings;
  std::string hints;
};

std::string EncodeSeriesRequest(const SeriesRequest& request);
std::string EncodeLabelNamesRequest(const LabelNamesRequest& request);
std::string EncodeLabelValuesRequest(const LabelValuesRequest& request);
std::string EncodeLabelsResponse(const LabelsResponse& response);
// kInvalid for a matcher that is none, kCorrupt for malformed bytes.
Result<SeriesRequest> DecodeSeriesRequest(std::string_view bytes, const MatcherMaker& make = Matcher::Make);
Result<LabelNamesRequest> DecodeLabelNamesRequest(std::string_view bytes, const MatcherMaker& make = Matcher::Make);
Result<LabelValuesRequest> DecodeLabelValuesRequest(std::string_view bytes, const MatcherMaker& make = Matcher::Make);
Result<LabelsResponse> DecodeLabelsResponse(std::string_view bytes);

// ---- Hints ----

// Which blocks a store gateway is to look at (on their external labels), and whether to tell what it did.
struct RequestHints {
  Matchers block_matchers;
  bool enable_query_stats = false;  // Series only
};

// What a store gateway did. The fields of the contract, in its order.
struct QueryStats {
  int64_t blocks_queried = 0, merged_series_count = 0, merged_chunks_count = 0;
  int64_t postings_touched = 0, postings_touched_size_sum = 0, postings_to_fetch = 0, postings_fetched = 0;
  int64_t postings_fetched_size_sum = 0, postings_fetch_count = 0;
  int64_t series_touched = 0, series_touched_size_sum = 0, series_fetched = 0, series_fetched_size_sum = 0;
  int64_t series_fetch_count = 0;
  int64_t chunks_touched = 0, chunks_touched_size_sum = 0, chunks_fetched = 0, chunks_fetched_size_sum = 0;
  int64_t chunks_fetch_count = 0;
  int64_t data_downloaded_size_sum = 0;
  int64_t get_all_duration_ns = 0, merge_duration_ns = 0;
  bool operator==(const QueryStats&) const = default;
};

struct ResponseHints {
  std::vector<std::string> queried_blocks;  // ULIDs
  std::optional<QueryStats> stats;          // Series only
};

enum class HintsOf : uint8_t { kSeries, kLabelNames, kLabelValues };

// Both as the bytes of a google.protobuf.Any. Decoding "" gives empty hints; an Any of another type is kInvalid.
std::string EncodeRequestHints(HintsOf call, const RequestHints& hints);
std::string EncodeResponseHints(HintsOf call, const ResponseHints& hints);
Result<RequestHints> DecodeRequestHints(HintsOf call, std::string_view any);
Result<ResponseHints> DecodeResponseHints(HintsOf call, std::string_view any);

}  // namespace gauntlet::wire
