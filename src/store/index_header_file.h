// IndexHeaderFile: the index header of one block, in a file of the data directory, or in memory alone: loaded when it
// is first needed, let go when it is idle. When it is not there or damaged it comes from the bucket: ready-made from
// the object beside the block (blocks/header_object.h), or, where there is none or a wrong one, made of the index.
// What the disk does not take is held in memory while it is used, and the disk is tried again after.
//
// Upstream: thanos pkg/block/indexheader/lazy_binary_reader.go
// Threads:  thread-safe. One call makes the header, others wait for it.           Owns: the mapping, shared with those
// who use it.

#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/memory_budget.h"
#include "base/mutex.h"
#include "base/ulid.h"
#include "blocks/index_header.h"
#include "io/file_system.h"
#include "store/bucket_block.h"
#include "telemetry/metrics.h"

namespace gauntlet::store {

// Told what happens, by name of Thanos' metrics. All borrowed.
struct IndexHeaderMetrics {
  explicit IndexHeaderMetrics(telemetry::Registry& registry);
  telemetry::Counter& loads;
  telemetry::Counter& load_failures;
  telemetry::Counter& unloads;
  telemetry::Histogram& load_seconds;
  telemetry::Histogram& download_seconds;
  // Headers that came ready-made, and that were made of an index.
  telemetry::Counter& from_object;
  telemetry::Counter& from_index;
  telemetry::Counter& disk_failures;
};

class IndexHeaderFile : public IndexHeaderSource {
 public:
  // The file is <dir>/<block>/index-header; without a `dir` there is none. What is held in memory is charged to
  // `budget`, which may be null. `index_bytes`: of the block's index, 0 when that is not known. All borrowed.
  IndexHeaderFile(objstore::Bucket& bucket, io::FileSystem& files, const std::string& dir, const Ulid& block,
                  uint64_t index_bytes, IndexHeaderMetrics& metrics, MemoryBudget* budget = nullptr);

  Result<IndexTables> Get(const Cancel& cancel) override;
  // Makes the file without loading it; nothing where there is none. kExhausted when the disk is full.
  Status Prepare(const Cancel& cancel);
  // Lets a header go that was not used since `before`, of those in a file only with `files`; calls that use it keep
  // theirs.
  void ReleaseIdle(std::chrono::steady_clock::time_point before, bool files);
  bool loaded() const;

 private:
  using HeaderPtr = std::shared_ptr<const blocks::IndexHeader>;
  using Loaded = Result<std::unique_ptr<blocks::IndexHeader>>;
  // *disk: whether it was the disk that failed.
  Loaded LoadFile(const Cancel& cancel, bool* disk);
  // `ready_made`: whether the object beside the block will do.
  Status Make(const Cancel& cancel, bool ready_made, bool* disk);
  Loaded LoadIntoMemory(const Cancel& cancel);
  Result<std::string> MakeInMemory(const Cancel& cancel, bool ready_made);
  Result<HeaderPtr> Charged(std::unique_ptr<blocks::IndexHeader> header) const;
  Status Load(const Cancel& cancel) GN_REQUIRES(mutex_);
  Result<uint64_t> IndexBytes(const Cancel& cancel);
  // Sets *failed when the bucket does not give what is asked for.
  blocks::ReadRange IndexReader(const Cancel& cancel, bool* failed);
  void Made(telemetry::Counter& source, std::chrono::steady_clock::time_point begun);

  objstore::Bucket& bucket_;
  io::FileSystem& files_;
  const Ulid ulid_;
  const uint64_t index_bytes_;
  const std::string block_, dir_, path_;
  IndexHeaderMetrics& metrics_;
  MemoryBudget* const budget_;
  mutable Mutex mutex_;
  HeaderPtr header_ GN_GUARDED_BY(mutex_);
  bool in_memory_ GN_GUARDED_BY(mutex_) = false;  // not in a file
  std::chrono::steady_clock::time_point used_ GN_GUARDED_BY(mutex_);
};

}  // namespace gauntlet::store
