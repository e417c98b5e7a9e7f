// `tools bucket verify`: known issues of the blocks in a bucket, found and, some of them, repaired.
//
// Upstream: thanos pkg/verifier
// Threads:  a free function; it blocks.

#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/status.h"
#include "blocks/meta_fetcher.h"
#include "io/file_system.h"
#include "objstore/bucket.h"
#include "telemetry/log.h"

namespace gauntlet::tools {

struct VerifyContext {
  objstore::Bucket& bucket;
  objstore::Bucket* backup;  // set when there is something to repair: blocks are copied there before they go
  io::FileSystem& files;
  Executor& executor;
  Clock& clock;
  telemetry::Logger& logger;
  std::string temporary_dir;  // for indexes that are looked at
};

struct VerifyOptions {
  // "index_known_issues", "duplicated_compaction", "overlapped_blocks".
  std::vector<std::string> issues = {"index_known_issues", "duplicated_compaction"};
  std::vector<Ulid> ids;  // only these, where the issue allows it; empty = all
  bool repair = false;
  std::chrono::milliseconds delete_delay{0};  // 0: broken blocks are deleted at once; else they are marked
};

// One line per finding, in order; nothing when all is well.
struct Finding {
  std::string issue;
  std::vector<Ulid> blocks;
  std::string text;
  bool repaired = false;
};

Result<std::vector<Finding>> VerifyBucket(const VerifyContext& context, const blocks::MetaMap& metas,
                                          const VerifyOptions& options, const Cancel& cancel);

}  // namespace gauntlet::tools
