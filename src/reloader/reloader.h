// Reloader: writes a server's configuration from its template and tells the server when files have changed.
//
// A change is seen at once (inotify), and at the watch interval in any case. What the server refuses is told it again
// at the retry interval, with what the files say by then; it goes on with what it had.
//
// Upstream: thanos pkg/reloader
// Threads:  Prepare, then Run, on one thread at a time.

#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/status.h"
#include "io/sha256.h"
#include "reloader/reload_trigger.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"

namespace gauntlet::io {
class FileSystem;
}

namespace gauntlet::reloader {

struct ReloaderOptions {
  std::string config_file, output_file;               // "" = none
  std::vector<std::string> folders;                   // of rules
  std::chrono::milliseconds watch_interval{180'000};  // 0 = write the output once and watch nothing
  std::chrono::milliseconds retry_interval{5'000};
  std::chrono::milliseconds settle{100};          // without a change, after one: several files are one change
  std::chrono::milliseconds attempt_max{60'000};  // of telling the server
  std::string metric_prefix = "thanos_sidecar_";
};

class Reloader {
 public:
  // All are borrowed but the options.
  Reloader(ReloaderOptions options, io::FileSystem& files, ReloadTrigger& trigger, const Clock& clock,
           telemetry::Registry& registry, telemetry::Logger logger);

  // Reads everything and writes the output for the first time. An error is to end the start: there is nothing to go on
  // with.
  Status Prepare();
  // Tells the server, and again at each change, until `cancel` ends. Blocks.
  void Run(const Cancel& cancel);

 private:
  struct Metrics {
    Metrics(const std::string& prefix, const std::string& method, telemetry::Registry& registry);
    telemetry::Counter &reloads, &reload_failures, &applies, &apply_failures, &watch_events, &watch_errors;
    telemetry::Gauge &last_successful, &last_success_time, &unset_variables, &watches;
  };
  // What the files say now, after the output was brought in line.
  Result<io::Sha256Digest> Look();
  Status WriteOutput(const std::string& config);
  // Looks, and tells the server if there is something to tell.
  Status Apply(const Cancel& cancel);
  Status TellServer(const io::Sha256Digest& now, const Cancel& cancel);

  const ReloaderOptions options_;
  io::FileSystem& files_;
  ReloadTrigger& trigger_;
  const Clock& clock_;
  telemetry::Logger logger_;
  Metrics metrics_;
  bool pending_ = true;  // the server has not yet taken what it was last told, or was told nothing
  io::Sha256Digest taken_{};
};

}  // namespace gauntlet::reloader
