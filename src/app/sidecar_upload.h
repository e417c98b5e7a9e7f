// SidecarUpload: the half of `gauntlet sidecar` that brings blocks to the bucket.
//
// Threads: Run() blocks a thread of its own; the rest is for the thread that wires.

#pragma once

#include <memory>

#include "app/runtime.h"
#include "app/sidecar_flags.h"
#include "blocks/shipper.h"
#include "objstore/bucket.h"
#include "sidecar/heartbeat.h"
#include "sidecar/prometheus_api.h"

namespace gauntlet::app {

class SidecarUpload {
 public:
  // Null when no bucket is configured. All that is given outlives this.
  static Result<std::unique_ptr<SidecarUpload>> Make(const PrometheusFlags& prometheus, const UploadFlags& flags,
                                                     Runtime& runtime, const sidecar::PrometheusApi& api,
                                                     const sidecar::Heartbeat& heartbeat);

  // That Prometheus is set up for uploads: kInvalid if not. Waits for it to answer, up to --prometheus.ready_timeout.
  Status Check(const Cancel& cancel);
  // Ships every 30 seconds; at the end once more, so that a block that was just finished is not left behind.
  void Run(const Cancel& cancel);

 private:
  SidecarUpload(const PrometheusFlags& prometheus, const UploadFlags& flags, Runtime& runtime,
                const sidecar::PrometheusApi& api, std::unique_ptr<objstore::Bucket> bucket);
  void Pass(const Cancel& cancel);

  const PrometheusFlags& prometheus_;
  const UploadFlags& flags_;
  Runtime& runtime_;
  const sidecar::PrometheusApi& api_;
  const std::unique_ptr<objstore::Bucket> bucket_;
  std::unique_ptr<blocks::Shipper> shipper_;
};

}  // namespace gauntlet::app
