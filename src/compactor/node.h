// Node: a compactor with all its parts, made from options: what `gauntlet compact` runs.
//
// Threads: thread-safe once made.

#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/executor.h"
#include "base/memory_budget.h"
#include "compactor/compactor.h"
#include "io/file_system.h"

namespace gauntlet::compactor {

struct NodeOptions {
  std::string data_dir = "./data";
  blocks::DiscoveryStrategy strategy = blocks::DiscoveryStrategy::kConcurrent;
  size_t meta_concurrency = 32;
  SyncOptions sync;
  CompactorOptions loop;
  RunnerOptions runner;
  tsdb::MergeKind merge_kind = tsdb::MergeKind::kChain;
  size_t blocks_concurrency = 1;
  OutputOptions output;
  int level_max = kCompactionLevelMax;
  int64_t index_bytes_max = int64_t{64} << 30;
  bool leases = true;
  std::chrono::milliseconds lease_time{120'000};
};

// All borrowed.
struct NodeEnvironment {
  objstore::Bucket& bucket;
  io::FileSystem& files;
  Executor& blocking;  // tasks block
  Executor& workers;   // as wide as the machine
  telemetry::Registry& registry;
  telemetry::Logger& logger;
  Clock& clock;
  Progress::Draw draw;             // null: nothing is drawn
  MemoryBudget* budget = nullptr;  // of what jobs hold; null = uncounted
};

class Node {
 public:
  // kInvalid for options that make no sense; kUnavailable when another process works in the data directory.
  static Result<std::unique_ptr<Node>> Make(const NodeOptions& options, const NodeEnvironment& environment);

  Compactor& compactor() { return *compactor_; }
  blocks::BlockCatalog& catalog() { return *catalog_; }
  Quarantine& quarantine() { return quarantine_; }
  CompactMetrics& metrics() { return metrics_; }
  MergeJobs& merges() { return *merges_; }
  // Null when there are none.
  Leases* leases() { return leases_.get(); }

 private:
  Node(const NodeOptions& options, const NodeEnvironment& environment);
  Status Open();

  const NodeOptions options_;
  const NodeEnvironment environment_;
  std::unique_ptr<io::FileLock> lock_;
  CompactMetrics metrics_;
  Quarantine quarantine_;
  Progress progress_;
  std::unique_ptr<blocks::BlockCatalog> catalog_;
  std::unique_ptr<Syncer> syncer_;
  std::unique_ptr<Planner> planner_;
  std::unique_ptr<Leases> leases_;
  std::unique_ptr<MergeJobs> merges_;
  std::unique_ptr<DownsampleJobs> downsamples_;
  std::unique_ptr<GroupRunner> runner_;
  std::unique_ptr<Compactor> compactor_;
};

}  // namespace gauntlet::compactor
