// FileDiscovery: targets from JSON and YAML files, which are read again when they change and now and then.
//
// A file that does not read or parse keeps the targets it had, with an error in the log and in the metrics; a file that
// has gone takes its targets along.
// Format:  Prometheus' file_sd. Upstream: prometheus discovery/file
// Threads: thread-safe, but Run and Refresh by one thread at a time.

#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/mutex.h"
#include "base/status.h"
#include "discovery/target_groups.h"
#include "discovery/target_set.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"

namespace gauntlet::io {
class FileSystem;
}

namespace gauntlet::discovery {

struct FileDiscoveryOptions {
  std::vector<std::string> files;  // paths; the last part may be a glob: "/etc/sd/*.json"
  std::chrono::milliseconds refresh_interval{300'000};
};

class FileDiscovery {
 public:
  // kInvalid for a path that Prometheus refuses too. All are borrowed.
  static Result<std::unique_ptr<FileDiscovery>> Make(FileDiscoveryOptions options, io::FileSystem& files,
                                                     telemetry::Registry& registry, telemetry::Logger& logger);

  // Reads all files now; the first error, after what can be read has been taken over.
  Status Refresh();
  // Refreshes at each change and at the interval until `cancel` ends. Blocks: run it on an executor.
  void Run(const Cancel& cancel);

  std::vector<TargetGroup> groups() const;
  // The addresses of all groups.
  TargetSet& targets() { return targets_; }

 private:
  FileDiscovery(FileDiscoveryOptions options, io::FileSystem& files, telemetry::Registry& registry,
                telemetry::Logger& logger);
  std::vector<std::string> Matches(Status* error) const;
  Status ReadFile(const std::string& path, std::vector<TargetGroup>* groups);

  const FileDiscoveryOptions options_;
  io::FileSystem& files_;
  telemetry::Logger& logger_;
  telemetry::Counter& read_errors_;
  telemetry::Counter& watch_errors_;
  telemetry::Family<telemetry::Gauge> modified_;
  TargetSet targets_;
  mutable Mutex mutex_;
  std::map<std::string, std::vector<TargetGroup>> by_file_ GN_GUARDED_BY(mutex_);
};

}  // namespace gauntlet::discovery
