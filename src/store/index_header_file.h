// IndexHeaderFile: the index header of one block, in a file of the data directory, or in memory alone: loaded when it
// is first needed, let go when it is idle. When it is not there or damaged it comes from the bucket: ready-made from
// the object beside the block (blocks/header_object.h), or, where there is none or a wrong one, made of the index.
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
};

class IndexHeaderFile : public IndexHeaderSource {
 public:
  // The file is <dir>/<block>/index-header; without a `dir` there is none, and what is held is charged to `budget`,
  // which may be null. `index_bytes`: of the block's index, 0 when that is not known. All borrowed.
  IndexHeaderFile(objstore::Bucket& bucket, io::FileSystem& files, const std::string& dir, const Ulid& block,
                  uint64_t index_bytes, IndexHeaderMetrics& metrics, MemoryBudget* budget = nullptr);

  Result<IndexTables> Get(const Cancel& cancel) override;
  // Makes the file without loading it; nothing where there is none.
  Status Prepare(const Cancel& cancel);
  // Lets a header go that was not used since `before`; calls that use it keep theirs.
  void ReleaseIdle(std::chrono::steady_clock::time_point before);
  bool loaded() const;

 private:
  using HeaderPtr = std::shared_ptr<const blocks::IndexHeader>;
  Result<HeaderPtr> LoadCharged(const Cancel& cancel);
  Result<std::unique_ptr<blocks::IndexHeader>> Load(const Cancel& cancel);
  // `ready_made`: whether the object beside the block will do.
  Status Make(const Cancel& cancel, bool ready_made);
  Result<std::unique_ptr<blocks::IndexHeader>> LoadIntoMemory(const Cancel& cancel);
  Result<std::string> MakeInMemory(const Cancel& cancel, bool ready_made);
  Result<uint64_t> IndexBytes(const Cancel& cancel);
  blocks::ReadRange IndexReader(const Cancel& cancel);
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
  std::chrono::steady_clock::time_point used_ GN_GUARDED_BY(mutex_);
};

}  // namespace gauntlet::store
