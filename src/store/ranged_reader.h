// RangedReader: many ranges of one object in few reads.
//
// Ranges that lie close together are read in one go, what is between them thrown away: a request to a bucket costs as
// much as half a megabyte. Distant ones are read side by side.
//
// Upstream: thanos pkg/store/bucket.go (gapBasedPartitioner)
// Threads:  free functions; they block until their end.

#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/executor.h"
#include "base/status.h"
#include "objstore/bucket.h"

namespace gauntlet::store {

struct ByteRange {
  uint64_t begin = 0, end = 0;
};

// How a bucket is best read.
struct ReadHabits {
  uint64_t gap_max = 512 << 10;               // bytes between ranges that are read along
  uint64_t series_entry_estimate = 64 << 10;  // of a series entry, of a stored chunk, where nothing bounds it; what is
  uint64_t chunk_estimate = 16'000;           // longer is read again
  uint64_t fetch_bytes = 8 << 20;             // asked for at a time, in all
  size_t concurrency = 8;                     // requests at a time, of one block
  size_t series_entries = 1024;               // of one block at a time, at most
};

// For files on this machine: reads are cheap, bytes are not.
ReadHabits LocalHabits();

// Bytes that one call may download in all. Thread-safe.
class DownloadLimit {
 public:
  // 0 = none.
  explicit DownloadLimit(uint64_t bytes_max) : bytes_max_(bytes_max) {}
  // kExhausted "exceeded bytes limit while fetching chunks: limit 10 violated (got 11)".
  Status Add(uint64_t bytes, std::string_view what);
  uint64_t used() const { return used_.load(std::memory_order_relaxed); }

 private:
  const uint64_t bytes_max_;
  std::atomic<uint64_t> used_{0};
};

// What ranges hold, in one buffer.
class RangedBytes {
 public:
  // From `offset` of the object to the end of what was read in one go; empty when it was not asked for.
  std::string_view From(uint64_t offset) const;
  size_t memory_bytes() const { return bytes_.capacity() + pieces_.capacity() * sizeof(Piece); }
  std::string Release() && { return std::move(bytes_); }

 private:
  friend class RangedReader;
  struct Piece {
    uint64_t begin, end;  // in the object; `end` may be lowered when the object ends before
    size_t at;            // in bytes_
  };
  std::string bytes_;
  std::vector<Piece> pieces_;
};

class RangedReader {
 public:
  // All borrowed. `limit` may be null.
  RangedReader(objstore::Bucket& bucket, Executor& executor, const ReadHabits& habits, DownloadLimit* limit)
      : bucket_(bucket), executor_(executor), habits_(habits), limit_(limit) {}

  // REQUIRES: sorted by begin. A range may reach beyond the end of the object. `what` is for the limit: "postings".
  Status Read(const std::string& object, const std::vector<ByteRange>& ranges, std::string_view what,
              const Cancel& cancel, RangedBytes* out) const;

 private:
  Status ReadPiece(const std::string& object, RangedBytes::Piece* piece, const Cancel& cancel, char* to) const;

  objstore::Bucket& bucket_;
  Executor& executor_;
  const ReadHabits& habits_;
  DownloadLimit* const limit_;
};

}  // namespace gauntlet::store
