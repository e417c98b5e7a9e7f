// BlockSync: keeps what is served equal to what the bucket has: opens new blocks, lets gone ones go.
//
// A block is opened by its meta alone; its index header is made afterwards, in the background, or when the first query
// wants it, so that a gateway is ready as soon as the bucket is listed.
//
// Upstream: thanos pkg/store/bucket.go (SyncBlocks)
// Threads:  Sync, PrepareHeaders and ReleaseIdle from one thread at a time.

#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/memory_budget.h"
#include "blocks/meta_fetcher.h"
#include "io/file_system.h"
#include "store/bucket_store.h"
#include "store/index_header_file.h"
#include "store/store_metrics.h"
#include "telemetry/log.h"

namespace gauntlet::store {

struct BlockSyncOptions {
  std::string data_dir;                             // of index headers; "" = they are held in memory alone
  MemoryBudget* budget = nullptr;                   // which they are charged to then; may be null
  size_t prepare_concurrency = 20;                  // headers made at a time
  std::chrono::milliseconds idle_timeout{300'000};  // of loaded headers
  bool release_files = false;                       // idle headers go also where they are mapped from a file
};

class BlockSync {
 public:
  // All borrowed.
  BlockSync(BlockSyncOptions options, blocks::MetaFetcher& fetcher, BucketStore& store,
            const BlockEnvironment& environment, io::FileSystem& files, IndexHeaderMetrics& header_metrics,
            StoreMetrics& metrics, telemetry::Logger& logger, Clock& clock);

  // Serves what the bucket has now. When only a part of it could be read, nothing is dropped, and the error is returned
  // after what is new was added.
  Status Sync(const Cancel& cancel);
  // Makes the headers that are not there. A block whose header cannot be made is logged, and tried again when it is
  // asked for.
  void PrepareHeaders(const Cancel& cancel);
  void ReleaseIdle();

 private:
  struct Opened {
    BucketBlockPtr block;
    std::shared_ptr<IndexHeaderFile> header;
  };

  Opened Open(const Ulid& id, const blocks::Meta& meta);
  void DropGone(const blocks::MetaMap& metas);
  void CleanDirectory();

  const BlockSyncOptions options_;
  blocks::MetaFetcher& fetcher_;
  BucketStore& store_;
  const BlockEnvironment& environment_;
  io::FileSystem& files_;
  IndexHeaderMetrics& header_metrics_;
  StoreMetrics& metrics_;
  telemetry::Logger& logger_;
  Clock& clock_;
  std::map<Ulid, Opened> opened_;
};

}  // namespace gauntlet::store
