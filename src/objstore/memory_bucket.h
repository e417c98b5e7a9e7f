// MemoryBucket: a bucket in memory, for tests; it can be told to fail, to wait, and what time it is.
//
// Threads: thread-safe.

#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/mutex.h"
#include "objstore/bucket.h"

namespace gauntlet::objstore {

class MemoryBucket : public Bucket {
 public:
  explicit MemoryBucket(Clock& clock = SystemClock()) : clock_(clock) {}

  // Asked before each call with the operation ("iter", "get", "get_range", "exists", "attributes", "upload", "delete")
  // and the name; an error becomes the call's. It may block. Null = none.
  using Fault = std::function<Status(std::string_view operation, const std::string& name)>;
  void SetFault(Fault fault);
  // As if the object had been written then.
  void SetModified(const std::string& name, int64_t modified_ms);
  // Calls so far, by operation.
  std::map<std::string, int64_t, std::less<>> calls() const;
  // All objects.
  std::map<std::string, std::string> objects() const;

  std::string_view provider() const override { return "MEMORY"; }
  std::string name() const override { return "inmem"; }
  bool lists_ranges() const override { return true; }
  Status Iter(const std::string& dir, const IterOptions& options, const Cancel& cancel,
              const OnEntry& on_entry) override;
  Status Get(const std::string& name, const Cancel& cancel, const OnBytes& on_bytes) override;
  Status GetRange(const std::string& name, uint64_t offset, uint64_t length, const Cancel& cancel,
                  const OnBytes& on_bytes) override;
  Result<bool> Exists(const std::string& name, const Cancel& cancel) override;
  Result<ObjectAttributes> Attributes(const std::string& name, const Cancel& cancel) override;
  Status Upload(const std::string& name, Source& source, const UploadOptions& options, const Cancel& cancel) override;
  Status Delete(const std::string& name, const Cancel& cancel) override;

 private:
  struct Object {
    std::shared_ptr<const std::string> bytes;
    int64_t modified_ms;
  };
  Status Begin(std::string_view operation, const std::string& name, const Cancel& cancel);
  Result<Object> Find(const std::string& name) const;

  Clock& clock_;
  mutable Mutex mutex_;
  std::map<std::string, Object> objects_ GN_GUARDED_BY(mutex_);
  std::map<std::string, int64_t, std::less<>> calls_ GN_GUARDED_BY(mutex_);
  std::shared_ptr<const Fault> fault_ GN_GUARDED_BY(mutex_);
};

}  // namespace gauntlet::objstore
