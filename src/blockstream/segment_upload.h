// SegmentUpload: a segment that goes into a bucket while it is written; it is an object there after Sync().
//
// What is sent is checked once more, as it lies in the buffer: an upload of anything but whole chunks with their
// checksums fails, and leaves nothing.
//
// Threads: one thread at a time; the upload runs on the executor beside it.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/cancel.h"
#include "base/executor.h"
#include "base/status.h"
#include "io/file_system.h"
#include "objstore/bucket.h"

namespace gauntlet::blockstream {

class SegmentUpload : public io::WritableFile {
 public:
  // At most about `buffer_bytes` wait to be sent. The executor must get to run the upload although the caller waits for
  // it: callers must not be all that it runs.
  SegmentUpload(objstore::Bucket& bucket, std::string object, Executor& executor, size_t buffer_bytes,
                const Cancel& cancel);
  // Ends the upload, unless Sync() was called: then the bucket has nothing of it.
  ~SegmentUpload() override;

  Status Append(std::string_view bytes) override;
  // Waits until the object is there. Nothing may be appended afterwards.
  Status Sync() override;
  uint64_t size() const override { return bytes_; }
  // That were sent. REQUIRES: Sync() returned ok.
  uint64_t chunks() const;

 private:
  class Pipe;

  const std::shared_ptr<Pipe> pipe_;
  uint64_t bytes_ = 0;
  bool synced_ = false;
};

}  // namespace gauntlet::blockstream
