// IndexHeaderFile: the index header of one block, in a file of the data directory: loaded when it is first needed, made
// from the bucket when it is not there or damaged, let go when it is idle.
//
// Upstream: thanos pkg/block/indexheader/lazy_binary_reader.go
// Threads:  thread-safe. One call makes the header, others wait for it.           Owns: the mapping, shared with those
// who use it.

#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/mutex.h"
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
};

class IndexHeaderFile : public IndexHeaderSource {
 public:
  // The file is <dir>/<block>/index-header. All borrowed.
  IndexHeaderFile(objstore::Bucket& bucket, io::FileSystem& files, const std::string& dir, const std::string& block,
                  IndexHeaderMetrics& metrics);

  Result<IndexTables> Get(const Cancel& cancel) override;
  // Makes the file without loading it.
  Status Prepare(const Cancel& cancel);
  // Lets a header go that was not used since `before`; calls that use it keep theirs.
  void ReleaseIdle(std::chrono::steady_clock::time_point before);
  bool loaded() const;

 private:
  Result<std::unique_ptr<blocks::IndexHeader>> Load(const Cancel& cancel);
  Status Make(const Cancel& cancel);

  objstore::Bucket& bucket_;
  io::FileSystem& files_;
  const std::string block_, dir_, path_;
  IndexHeaderMetrics& metrics_;
  mutable Mutex mutex_;
  std::shared_ptr<const blocks::IndexHeader> header_ GN_GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point used_ GN_GUARDED_BY(mutex_);
};

}  // namespace gauntlet::store
