// RemoteRead: a select answered by Prometheus' remote read, as series with their final labels.
//
// Chunks pass through as they came: from the frame that Prometheus sent into the frame that goes to the querier, never
// decoded, except for encodings that StoreAPI does not define, which are translated.
//
// Upstream: thanos pkg/store/prometheus.go
// Threads:  one call on two threads: the executor's, which reads from Prometheus, and the caller's, which pulls.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/labels.h"
#include "model/matcher.h"
#include "sidecar/prometheus_api.h"
#include "storeapi/request.h"
#include "storeapi/store.h"

namespace gauntlet {
class Executor;
}

namespace gauntlet::sidecar {

struct RemoteReadOptions {
  size_t pipe_bytes_max = 4 << 20;  // read from Prometheus and not yet taken
  std::string spill_folder = "/tmp";
  std::string user_agent = "Gauntlet";
};

struct RemoteReadRequest {
  Matchers matchers;  // without external labels
  int64_t start_ms = 0, end_ms = 0;
  bool chunks = true;  // false: labels only, chunks are dropped
  Labels external_labels;
  std::vector<std::string> without;
  storeapi::ShardInfo shard;
  int64_t limit = 0;
  // Series have labels of their own that are removed or replaced: order must be made anew, in a temporary file.
  bool sort = false;
};

// Never null. The call runs on `executor` until the stream ends or goes. Both borrowed.
std::unique_ptr<storeapi::SeriesStream> StartRemoteRead(const PrometheusApi& api, Executor& executor,
                                                        RemoteReadRequest request, const RemoteReadOptions& options,
                                                        const Cancel& cancel);

}  // namespace gauntlet::sidecar
