// Session: what the commands over a bucket share: one process-wide set of threads, log, metrics, and the bucket; and a
// view of its blocks.
//
// Threads: one thread at a time.

#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "app/common_flags.h"
#include "app/runtime.h"
#include "base/cancel.h"
#include "base/status.h"
#include "base/ulid.h"
#include "blocks/meta_fetcher.h"
#include "blocks/meta_filters.h"
#include "blocks/upkeep.h"
#include "flags/app.h"
#include "objstore/bucket.h"

namespace gauntlet::app {

inline constexpr char kSelectorRelabelHelp[] = "YAML file with relabeling configuration that allows selecting blocks.";

struct Session {
  std::unique_ptr<Runtime> runtime;
  std::unique_ptr<objstore::Bucket> bucket;
  telemetry::Logger& logger() { return runtime->logger(); }
};

// `component` as in the metrics.
Result<Session> OpenSession(const GlobalFlags& global, const flags::ConfigSource& source, const std::string& component);
// `metered`: with thanos_objstore_bucket_*, which one bucket of a process can have.
Result<std::unique_ptr<objstore::Bucket>> OpenBucket(Runtime& runtime, const flags::ConfigSource& source,
                                                     const std::string& component, bool metered);
blocks::UpkeepContext UpkeepOf(Session& session);

// The bucket's blocks, filtered. Borrows the session.
struct BlocksOfBucket {
  BlocksOfBucket(Session& session, size_t concurrency);
  Status AddShard(const flags::ConfigSource& relabel);
  void AddTimes(const flags::TimeOrDuration& min, const flags::TimeOrDuration& max);
  std::shared_ptr<blocks::IgnoreDeletionMarkFilter> AddDeletionMarks(std::chrono::milliseconds delay);
  // An error also when not all of them could be read.
  Result<blocks::BlockView> Fetch(const Cancel& cancel);

  blocks::BlockCatalog catalog;
  std::vector<std::shared_ptr<blocks::MetaFilter>> filters;

 private:
  Session& session_;
};

Result<std::vector<Ulid>> ParseIds(const std::vector<std::string>& texts);
void RegisterTimes(flags::FlagSet& f, const std::string& verb, flags::TimeOrDuration* min, flags::TimeOrDuration* max);
// To standard output.
void Print(const std::string& text);

// Makes `run` what the command does: its Status is the exit code.
template <typename Flags, typename Body>
void SetRun(flags::Command& command, std::shared_ptr<Flags> flags, const Body& run) {
  SetBody(command, [flags = std::move(flags), run](int* exit_code) -> Status {
    GN_TRY(run(*flags));
    *exit_code = 0;
    return Status();
  });
}

}  // namespace gauntlet::app
