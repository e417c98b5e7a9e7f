// MetaFetcher: what blocks a bucket has, as their metas say, filtered; in memory, and in a file between starts.
//
// A bad block (no meta.json yet, or one that does not parse) is reported beside the good ones and never stops them.
// Upstream: thanos pkg/block/fetcher.go
// Threads:  BlockCatalog is thread-safe, one sync at a time; a MetaFetcher and its filters are for one thread at a
// time.

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/mutex.h"
#include "base/status.h"
#include "base/ulid.h"
#include "blocks/markers.h"
#include "blocks/meta_cache.h"
#include "blocks/thanos_meta.h"
#include "io/file_system.h"
#include "objstore/bucket.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"

namespace gauntlet::blocks {

using MetaPtr = std::shared_ptr<const Meta>;
using MetaMap = std::map<Ulid, MetaPtr>;

enum class DiscoveryStrategy : uint8_t {
  kConcurrent,  // one listing of the root, then one question for each block
  kRecursive,   // one listing of everything: also tells which markers there are, and when a meta changed
};

// What a sync found, before filters.
struct Catalog {
  MetaMap metas;
  std::map<Ulid, Status> partial;  // kNotFound: no meta.json; kCorrupt, kUnsupported: a bad one
  std::vector<Status> failures;    // blocks of which it is not known: then the view is incomplete
  int64_t no_meta = 0, corrupt = 0;
  bool markers_known = false;       // by a recursive listing
  std::map<Ulid, uint8_t> markers;  // a bit for each MarkerKind
  // False only when it is known that the block has no such marker.
  bool MayHave(const Ulid& id, MarkerKind kind) const;
};

struct CatalogOptions {
  DiscoveryStrategy strategy = DiscoveryStrategy::kConcurrent;
  size_t concurrency = 32;           // metas fetched at a time
  size_t exists_concurrency = 64;    // questions at a time
  size_t blocks_per_listing = 1000;  // of those that are known: more are listed side by side where the bucket can
  size_t listings_max = 8;           // at a time
  std::string data_dir;              // metas are kept in its meta-syncer/metas; "" = nowhere
};

// Reads the bucket, and remembers metas.
class BlockCatalog {
 public:
  BlockCatalog(CatalogOptions options, objstore::Bucket& bucket, io::FileSystem& files, Executor& executor,
               telemetry::Registry& registry, telemetry::Logger& logger);

  // An error only when the bucket cannot be listed.
  Result<Catalog> Sync(const Cancel& cancel);
  objstore::Bucket& bucket() { return bucket_; }
  Executor& executor() { return executor_; }
  size_t concurrency() const { return options_.concurrency; }

 private:
  struct Listed {
    Ulid id;
    int64_t modified_ms = 0;  // of meta.json; 0 = not known
    bool meta = false;
    uint8_t markers = 0;
  };
  struct Remembered {
    MetaPtr meta;
    int64_t modified_ms = 0;
  };
  Result<std::vector<Listed>> List(const Cancel& cancel);
  Status ListRecursively(const Cancel& cancel, std::vector<Listed>* blocks);
  Status ListRange(const objstore::IterOptions& range, const Cancel& cancel, std::vector<Listed>* blocks);
  // Parts of a listing, of about as many known blocks each.
  std::vector<objstore::IterOptions> Ranges();
  Status ListConcurrently(const Cancel& cancel, std::vector<Listed>* blocks);
  Result<MetaPtr> Load(const Listed& block, const Cancel& cancel);
  MetaPtr FromCache(const Listed& block);
  void Remember(const Catalog& catalog, const std::vector<Listed>& blocks) GN_REQUIRES(syncing_);
  void RemoveOldCache();

  const CatalogOptions options_;
  const std::string cache_dir_;
  MetaCache cache_;
  objstore::Bucket& bucket_;
  io::FileSystem& files_;
  Executor& executor_;
  telemetry::Logger& logger_;
  telemetry::Counter& syncs_;
  telemetry::Counter& cache_busts_;
  Mutex syncing_;  // held across a sync
  bool cache_loaded_ GN_GUARDED_BY(syncing_) = false, old_cache_removed_ GN_GUARDED_BY(syncing_) = false;
  Mutex mutex_;
  std::map<Ulid, Remembered> remembered_ GN_GUARDED_BY(mutex_);
};

// How many blocks are in which state, counted during one fetch: thanos_blocks_meta_synced.
using StateCounts = std::map<std::string, int64_t, std::less<>>;

// Takes blocks out of the map, or replaces their metas, and counts them.
class MetaFilter {
 public:
  virtual ~MetaFilter() = default;
  virtual Status Filter(const Catalog& catalog, const Cancel& cancel, MetaMap* metas, StateCounts* synced,
                        StateCounts* modified) = 0;
};

struct BlockView {
  MetaMap metas;
  std::map<Ulid, Status> partial;
  Status incomplete;  // ok, or why some blocks are missing from it
};

// One view of a catalog: its filters, in the order given, and its metrics.
class MetaFetcher {
 public:
  MetaFetcher(BlockCatalog& catalog, std::vector<std::shared_ptr<MetaFilter>> filters, telemetry::Registry& registry,
              telemetry::Logger& logger, Clock& clock);
  // An error when the bucket cannot be listed or a filter cannot do its work.
  Result<BlockView> Fetch(const Cancel& cancel);
  // Called with what each Fetch found, on its thread.
  void OnFetch(std::function<void(const Result<BlockView>&)> called) { on_fetch_ = std::move(called); }

 private:
  Result<BlockView> FetchAndCount(const Cancel& cancel, StateCounts* synced, StateCounts* modified);
  void Publish(const StateCounts& synced, const StateCounts& modified);

  BlockCatalog& catalog_;
  const std::vector<std::shared_ptr<MetaFilter>> filters_;
  telemetry::Logger& logger_;
  Clock& clock_;
  std::function<void(const Result<BlockView>&)> on_fetch_;
  telemetry::Counter& syncs_;
  telemetry::Counter& sync_failures_;
  telemetry::Histogram& sync_seconds_;
  telemetry::Family<telemetry::Gauge> synced_, modified_;
};

}  // namespace gauntlet::blocks
