// BesidePrometheus: the parts of a sidecar beside a RealPrometheus, as the command wires them. Test code only.
//
// Threads: one thread at a time.

#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/executor.h"
#include "net/http/client.h"
#include "sidecar/heartbeat.h"
#include "sidecar/local_blocks.h"
#include "sidecar/prometheus_api.h"
#include "sidecar/testing/real_prometheus.h"
#include "telemetry/metrics.h"

namespace gauntlet::sidecar {

// Copies a block of shared/golden to where `prometheus` will find it.
Status AddGoldenBlock(const std::string& name, const RealPrometheus& prometheus);

struct BesidePrometheus {
  // After the start of `prometheus`; nothing has been asked of it yet. `blocks` stays null without a clock for it.
  Status Make(Clock* clock_of_blocks = nullptr);
  // Asks it for the first time, or once more.
  Status Look() { return heartbeat->WaitUntilUp(Cancel()); }

  RealPrometheus prometheus;
  telemetry::Registry registry;
  std::unique_ptr<net::HttpClient> client;
  std::unique_ptr<PrometheusApi> api;
  std::unique_ptr<LocalBlocks> blocks;
  std::unique_ptr<Heartbeat> heartbeat;
  ThreadPool pool{"sidecar", 16};  // goes first: what still runs in it uses the others
};

}  // namespace gauntlet::sidecar
