#include "reloader/reloader.h"

#include <algorithm>
#include <set>
#include <utility>

#include "discovery/directory_watch.h"
#include "io/file_system.h"
#include "reloader/watched_files.h"

namespace gauntlet::reloader {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kSettleMax{2'000};  // changes without end are not waited out

// Watches what there is; again if that was something else by the time it was watched.
Status WatchAll(discovery::DirectoryWatch& watch, io::FileSystem& files, const ReloaderOptions& options) {
  Status status;
  std::set<std::string> folders = FoldersToWatch(files, options.config_file, options.folders);
  for (int i = 0; i < 3; ++i) {
    status = watch.Watch(folders);
    std::set<std::string> now = FoldersToWatch(files, options.config_file, options.folders);
    if (now == folders) break;
    folders = std::move(now);
  }
  return status;
}

}  // namespace

Reloader::Metrics::Metrics(const std::string& prefix, const std::string& method, telemetry::Registry& registry)
    : reloads(registry.MakeCounter(prefix + "reloader_reloads_total", "Total number of reload requests.")),
      reload_failures(registry.MakeCounter(prefix + "reloader_reloads_failed_total",
                                           "Total number of reload requests that failed.")),
      applies(registry.MakeCounter(prefix + "reloader_config_apply_operations_total",
                                   "Total number of config apply operations.")),
      apply_failures(registry.MakeCounter(prefix + "reloader_config_apply_operations_failed_total",
                                          "Total number of config apply operations that failed.")),
      watch_events(registry.MakeCounter(prefix + "reloader_watch_events_total",
                                        "Total number of events received by the reloader from the watcher.")),
      watch_errors(registry.MakeCounter(prefix + "reloader_watch_errors_total",
                                        "Total number of errors received by the reloader from the watcher.")),
      last_successful(registry.MakeGauge(prefix + "reloader_last_reload_successful",
                                         "Whether the last reload attempt was successful")),
      last_success_time(registry.MakeGauge(prefix + "reloader_last_reload_success_timestamp_seconds",
                                           "Timestamp of the last successful reload")),
      unset_variables(
          registry.MakeGauge(prefix + "reloader_config_environment_variable_expansion_errors",
                             "Number of environment variable expansions that failed during the last operation.")),
      watches(registry.MakeGauge(prefix + "reloader_watches", "Number of resources watched by the reloader.")) {
  registry
      .MakeGauges(prefix + "reloader_info",
                  "A metric with a constant '1' value labeled by reload method (either 'http' or 'signal').",
                  {"method"})
      .With({method})
      .Set(1);
}

Reloader::Reloader(ReloaderOptions options, io::FileSystem& files, ReloadTrigger& trigger, const Clock& clock,
                   telemetry::Registry& registry, telemetry::Logger logger)
    : options_(std::move(options)),
      files_(files),
      trigger_(trigger),
      clock_(clock),
      logger_(std::move(logger)),
      metrics_(options_.metric_prefix, trigger.method(), registry) {}

Status Reloader::WriteOutput(const std::string& config) {
  size_t unset = 0;
  Result<std::string> rendered = RenderConfig(config, &unset);
  metrics_.unset_variables.Set(static_cast<double>(unset));
  if (!rendered.ok()) return rendered.status().Wrap("read " + options_.config_file);
  // Not written without need: a watcher of that file may be about.
  if (Result<std::string> old = files_.ReadFile(options_.output_file); old.ok() && *old == *rendered) return Status();
  return files_.WriteAtomically(options_.output_file, *rendered);
}

Result<io::Sha256Digest> Reloader::Look() {
  GN_ASSIGN(WatchedFiles now, ReadWatched(files_, options_.config_file, options_.folders));
  if (!options_.config_file.empty() && !options_.output_file.empty()) GN_TRY(WriteOutput(now.config));
  return now.digest;
}

Status Reloader::Prepare() { return Look().status(); }

Status Reloader::Apply(const Cancel& cancel) {
  metrics_.applies.Add();
  Result<io::Sha256Digest> now = Look();
  if (!now.ok()) {
    metrics_.apply_failures.Add();
    return now.status().Wrap("apply configuration");
  }
  return pending_ || *now != taken_ ? TellServer(*now, cancel) : Status();
}

Status Reloader::TellServer(const io::Sha256Digest& now, const Cancel& cancel) {
  pending_ = true;
  metrics_.reloads.Add();
  CancelSource attempt(cancel, options_.attempt_max);
  Status status = trigger_.Reload(attempt.cancel());
  if (!status.ok()) {
    if (cancel.stopped()) return cancel.status();
    metrics_.reload_failures.Add();
    metrics_.last_successful.Set(0);
    return status.Wrap("trigger reload");
  }
  pending_ = false;
  taken_ = now;
  metrics_.last_successful.Set(1);
  metrics_.last_success_time.Set(static_cast<double>(clock_.NowMs()) / 1000);
  GN_LOG(logger_, kInfo, "Reload triggered", {"cfg_in", options_.config_file}, {"cfg_out", options_.output_file},
         {"watched_dirs", options_.folders.size()});
  return Status();
}

void Reloader::Run(const Cancel& cancel) {
  if (options_.config_file.empty() && options_.folders.empty()) {
    GN_LOG(logger_, kInfo, "nothing to be watched");
    return;
  }
  if (options_.watch_interval.count() == 0) return;
  discovery::DirectoryWatch watch;
  uint64_t events = 0;
  while (!cancel.stopped()) {
    // Watched before it is read: a change in between wakes the wait.
    if (Status status = WatchAll(watch, files_, options_); !status.ok()) {
      metrics_.watch_errors.Add();
      GN_LOG(logger_, kError, "watch error", {"err", status});
    }
    metrics_.watches.Set(static_cast<double>(watch.size()));
    Status status = Apply(cancel);
    if (cancel.stopped()) return;
    if (!status.ok()) {
      GN_LOG(logger_, kError, "the configuration was not reloaded; trying again", {"err", status},
             {"cfg_in", options_.config_file});
    }
    milliseconds wait =
        status.ok() ? options_.watch_interval : std::min(options_.retry_interval, options_.watch_interval);
    if (watch.Wait(steady_clock::now() + wait, cancel)) {
      auto end = steady_clock::now() + kSettleMax;
      while (watch.Wait(std::min(end, steady_clock::now() + options_.settle), cancel)) {
      }
    }
    metrics_.watch_events.Add(static_cast<double>(watch.events() - events));
    events = watch.events();
  }
}

}  // namespace gauntlet::reloader
