// PartCutter: cuts what is uploaded into parts, for many senders at once.
//
// Threads: thread-safe.

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/executor.h"
#include "base/mutex.h"
#include "base/status.h"
#include "objstore/bucket.h"
#include "objstore/sources.h"

namespace gauntlet::objstore {

struct UploadPart {
  int number = 0;                        // from 1
  const io::RandomFile* file = nullptr;  // of a source that is a file; else the bytes are in `buffer`
  uint64_t offset = 0, bytes = 0;        // in the file; `offset` of a stream is where the part begins in it
  std::string buffer;
};

struct CutOptions {
  uint64_t file_part_bytes = 64 << 20;   // of sources that are files
  uint64_t stream_part_bytes = 8 << 20;  // of others, held in memory
  int parts_before_doubling = 1'000;     // of streams: so many parts, then parts of twice the size
  uint64_t object_bytes_max = uint64_t{5} << 40;
};

class PartCutter {
 public:
  PartCutter(Source& source, CutOptions options);

  // false after the last one. An empty object has one, empty part.
  Result<bool> Next(UploadPart* part);
  // Gives a part back, to be the next.
  void Push(UploadPart part);
  // All bytes have been cut.
  bool over();

 private:
  Status Fill(std::string* buffer) GN_REQUIRES(mutex_);

  const CutOptions options_;
  Mutex mutex_;
  Source& source_;
  const bool stream_;
  uint64_t part_bytes_ GN_GUARDED_BY(mutex_);
  uint64_t at_ GN_GUARDED_BY(mutex_) = 0;
  int next_ GN_GUARDED_BY(mutex_) = 1;
  bool over_ GN_GUARDED_BY(mutex_) = false;
  std::vector<UploadPart> pushed_ GN_GUARDED_BY(mutex_);
};

// `send` for each part, up to `parallel` at once; the first error ends it.
Status SendParts(PartCutter& cutter, Executor& executor, size_t parallel, const Cancel& cancel,
                 const std::function<Status(const UploadPart&, const Cancel&)>& send);

// The part as a file, whichever way it has its bytes. Dies with the part.
class PartFile {
 public:
  explicit PartFile(const UploadPart& part) : buffer_(part.buffer), part_(part) {}
  const io::RandomFile& file() const { return part_.file != nullptr ? *part_.file : buffer_; }
  uint64_t offset() const { return part_.file != nullptr ? part_.offset : 0; }

 private:
  const BytesFile buffer_;
  const UploadPart& part_;
};

}  // namespace gauntlet::objstore
