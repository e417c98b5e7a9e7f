// Remote read's request, as we send it to a Prometheus (sidecar, remote storage) and get it from readers of ours.
//
// Format:  proto/prometheus/remote.proto (the HTTP body is this, snappy-compressed)
// Threads: values and pure functions.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "model/matcher.h"

namespace gauntlet::wire {

struct ReadHints {
  int64_t step_ms = 0;
  std::string func;
  int64_t start_ms = 0, end_ms = 0;
  std::vector<std::string> grouping;
  bool by = false;
  int64_t range_ms = 0;
  bool operator==(const ReadHints&) const = default;
};

struct ReadQuery {
  int64_t start_ms = 0, end_ms = 0;  // inclusive
  Matchers matchers;
  std::optional<ReadHints> hints;
};

struct ReadRequest {
  std::vector<ReadQuery> queries;
  bool accepts_chunks = false;  // the stream of chunked_read.h is understood, and preferred to samples
};

// A request that accepts chunks accepts samples as well, as its second choice.
std::string EncodeReadRequest(const ReadRequest& request);
Result<ReadRequest> DecodeReadRequest(std::string_view bytes);

}  // namespace gauntlet::wire
