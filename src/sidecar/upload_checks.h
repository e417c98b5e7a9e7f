// Before a sidecar uploads: whether this Prometheus is set up so that each of its blocks can be uploaded once.
//
// Upstream: thanos cmd/thanos/sidecar.go, validatePrometheus
// Threads:  a free function; it blocks.

#pragma once

#include <string>
#include <string_view>

#include "base/cancel.h"
#include "base/status.h"
#include "sidecar/prometheus_api.h"
#include "telemetry/log.h"

namespace gauntlet::sidecar {

struct UploadSetup {
  std::string tsdb_path, meta_file_name;
  bool ignore_unequal_block_size = false;
};

// kInvalid when the flags of Prometheus and the sidecar do not fit: local compaction is on (other minimum and maximum
// block durations) without a file that delays it, or that file is another one than the sidecar writes. Ok for a
// Prometheus that does not show its flags.
Status CheckUploadSetup(const PrometheusApi& api, const UploadSetup& setup, telemetry::Logger& logger,
                        const Cancel& cancel);

}  // namespace gauntlet::sidecar
