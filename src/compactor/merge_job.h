// MergeJobs: blocks of a group become one block in the bucket: verified, and complete before anybody sees it.
//
// Sources are read by ranges, and the result goes up while it is made: on the disk is only its index.
//
// The id of the result follows from its sources and parameters: a job that was broken off, or is done twice, ends in
// the same block.
//
// Upstream: thanos pkg/compact/compact.go (Group.compact)
// Threads:  thread-safe; jobs of different groups may run side by side.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/executor.h"
#include "base/status.h"
#include "compactor/group.h"
#include "compactor/output.h"
#include "tsdb/compact/compaction.h"

namespace gauntlet::compactor {

struct MergeOptions {
  std::string work_dir;  // DATA/compact
  tsdb::MergeKind kind = tsdb::MergeKind::kChain;
  size_t blocks_concurrency = 1;  // sources opened at a time
  OutputOptions output;
};

struct MergeRequest {
  const Group* group = nullptr;
  BlockList sources;                              // by time
  bool accept_unordered_chunks = false;           // of one source: they are merged
  std::string source = blocks::kCompactorSource;  // of the result's meta
  bool covers_sources = false;                    // the result stands for its sources themselves: a repair
  std::function<void(uint64_t series)> on_progress;
};

struct MergeResult {
  blocks::MetaPtr made;    // null: no sample is left
  bool was_there = false;  // somebody had made it before
};

class MergeJobs {
 public:
  MergeJobs(MergeOptions options, const JobContext& context, Executor& workers);

  // On an error that one of the sources is to blame for, *fault says which; its kind is kNone for other errors.
  Result<MergeResult> Run(const MergeRequest& request, const Cancel& cancel, tsdb::BlockFault* fault);
  // Removes what broken-off jobs left. REQUIRES: no job runs.
  void CleanWorkDir();

  const MergeOptions& options() const { return options_; }
  const JobContext& context() const { return context_; }

 private:
  Result<std::unique_ptr<tsdb::BlockSource>> OpenSource(const blocks::Meta& meta, size_t blocks, const Cancel& cancel,
                                                        tsdb::BlockFault* fault);
  Result<blocks::MetaPtr> Merge(const MergeRequest& request, const Ulid& id, const Cancel& cancel,
                                tsdb::BlockFault* fault);

  const MergeOptions options_;
  const JobContext context_;
  Executor& workers_;
};

// "penalty": as it is named in parameters of results.
std::string_view KindName(tsdb::MergeKind kind);

// Compares what the bucket has of a block with what its meta says.
Status CheckObjects(objstore::Bucket& bucket, const blocks::Meta& meta, const Cancel& cancel, tsdb::BlockFault* fault);

// The meta of a block that stands for these themselves, so that they become its duplicates, and not it theirs.
void CoverSources(const BlockList& sources, tsdb::BlockMeta* meta);

}  // namespace gauntlet::compactor
