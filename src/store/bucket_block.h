// BucketBlock: one block in the bucket, opened: its meta, its index header, and where the rest is read from.
//
// Upstream: thanos pkg/store/bucket.go (bucketBlock)
// Threads:  thread-safe, and so is what it borrows.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/executor.h"
#include "base/mutex.h"
#include "base/status.h"
#include "base/ulid.h"
#include "model/labels.h"
#include "objstore/bucket.h"
#include "store/caches/index_cache.h"
#include "store/lazy_postings.h"
#include "store/ranged_reader.h"
#include "store/read_metrics.h"
#include "tsdb/index/postings_table.h"
#include "tsdb/index/symbols.h"

namespace gauntlet::store {

// What an index header holds. Views live as long as `owner`.
struct IndexTables {
  const tsdb::PostingsTable* postings = nullptr;
  const tsdb::SymbolTable* symbols = nullptr;
  int index_version = 2;
  std::shared_ptr<const void> owner;
};

// Gives the header, loading it when it is not there. Thread-safe.
class IndexHeaderSource {
 public:
  virtual ~IndexHeaderSource() = default;
  virtual Result<IndexTables> Get(const Cancel& cancel) = 0;
};

struct BlockFacts {
  Ulid ulid;
  int64_t mint_ms = 0, maxt_ms = 0;  // maxt is exclusive
  int64_t resolution_ms = 0;
  Labels external;                    // of the `thanos` section
  std::vector<std::string> segments;  // names below "chunks/", in order; empty = not known: the bucket is asked
  uint64_t series_bytes_max = 0;      // of a series entry; 0 = not known
};

// What blocks of one gateway share. All borrowed; `cache` may be null.
struct BlockEnvironment {
  objstore::Bucket* bucket = nullptr;
  Executor* executor = nullptr;
  IndexCache* cache = nullptr;
  ReadHabits habits;
  LazyPostingsOptions lazy;
  ReadMetrics* metrics = nullptr;  // may be null
};

class BucketBlock {
 public:
  BucketBlock(BlockFacts facts, std::shared_ptr<IndexHeaderSource> header, const BlockEnvironment& environment);

  const BlockFacts& facts() const { return facts_; }
  const std::string& id() const { return id_; }
  const BlockEnvironment& environment() const { return environment_; }
  Result<IndexTables> Tables(const Cancel& cancel) const;

  std::string index_object() const { return id_ + "/index"; }
  // Of the segment at this place, from 0; kCorrupt when there is none.
  Result<std::string> SegmentObject(uint32_t segment, const Cancel& cancel) const;
  // Its external labels and __block_id, by which shards and hints choose.
  const Labels& selectable_labels() const { return selectable_; }
  bool Overlaps(int64_t mint_ms, int64_t maxt_ms) const {
    return facts_.mint_ms <= maxt_ms && mint_ms < facts_.maxt_ms;
  }

 private:
  const BlockFacts facts_;
  const std::string id_;
  const Labels selectable_;
  const std::shared_ptr<IndexHeaderSource> header_;
  const BlockEnvironment& environment_;
  mutable Mutex mutex_;
  mutable std::vector<std::string> segments_ GN_GUARDED_BY(mutex_);
};

using BucketBlockPtr = std::shared_ptr<const BucketBlock>;

}  // namespace gauntlet::store
