// The block that a job makes: which id it has, and how it becomes complete in the bucket.
//
// Threads: free functions; they block until their end.

#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/memory_budget.h"
#include "base/status.h"
#include "blocks/meta_fetcher.h"
#include "blockstream/bucket_sink.h"
#include "compactor/quarantine.h"
#include "io/file_system.h"
#include "objstore/bucket.h"

namespace gauntlet::compactor {

// What jobs work with. All borrowed.
struct JobContext {
  objstore::Bucket& bucket;
  io::FileSystem& files;
  Executor& blocking;
  const Quarantine& quarantine;
  telemetry::Logger& logger;
  Clock& clock;
  MemoryBudget* budget = nullptr;  // null = uncounted
};

struct OutputOptions {
  std::string hash_function;     // of the files in meta.json: "" or "SHA256"
  size_t files_concurrency = 1;  // files of a block at a time, where whole blocks are fetched or sent
  bool accept_malformed_index = false;
};

struct OutputId {
  Ulid id;
  blocks::MetaPtr there;  // the block, when somebody has made it already
};
// Follows from the blocks and parameters, but for ids that are taken by a block that is marked for deletion,
// quarantined or broken.
Result<OutputId> ChooseOutputId(const JobContext& context, std::span<const Ulid> blocks, std::string_view parameters,
                                const Cancel& cancel);

// Where the block `meta` goes while it is made; its full_meta() is that of the bucket when it is finished.
Result<std::unique_ptr<blockstream::BucketBlockSink>> OpenSink(const JobContext& context, const OutputOptions& options,
                                                               const std::string& scratch_dir, blocks::Meta meta,
                                                               bool keep_sample_counts, const Cancel& cancel);

// Checks the index of the block in `dir`, completes its meta, whose thanos section comes with labels, resolution,
// source and extensions, and uploads it. The meta as it is in the bucket.
Result<blocks::MetaPtr> PublishBlock(const JobContext& context, const OutputOptions& options, const std::string& dir,
                                     blocks::Meta meta, const Cancel& cancel);

// Whether the error is the bucket's, the network's or this machine's: it may be gone at the next attempt.
bool IsPassing(const Status& status);

}  // namespace gauntlet::compactor
