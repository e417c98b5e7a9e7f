// SegmentWriter: chunks into numbered files, a new one when the next chunk would not fit.
//
// Upstream: prometheus tsdb/chunks/chunks.go (Writer): cut at the same places, so that the bytes are the same.
// Threads:  one thread at a time.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"
#include "io/file_system.h"
#include "tsdb/chunks/segment.h"

namespace gauntlet::tsdb {

// A chunk to be written. Where `stored` is not empty, it is the chunk as it stands in another segment, its checksum
// verified, and is copied. Borrows the bytes.
struct ChunkToStore {
  ChunkView chunk;
  std::string_view stored;
};

class SegmentWriter {
 public:
  // Makes a segment's file by its name. The file is complete after its Sync(), and nothing is appended then.
  static constexpr size_t kBufferBytes = 1 << 20;
  using Open = std::function<Result<std::unique_ptr<io::WritableFile>>(const std::string& name)>;

  // `buffer_bytes`: 0 for files that are best given what there is at once.
  explicit SegmentWriter(Open open, uint64_t segment_bytes_max = kSegmentBytesMax, size_t buffer_bytes = kBufferBytes)
      : open_(std::move(open)), bytes_max_(segment_bytes_max), buffer_bytes_(buffer_bytes) {}
  // Into `dir`, which exists and has no segments.
  SegmentWriter(io::FileSystem& files, std::string dir, uint64_t segment_bytes_max = kSegmentBytesMax);

  // Writes the chunks of one series; refs[i] receives where chunk i went.
  Status Write(std::span<const ChunkToStore> chunks, std::span<uint64_t> refs);
  // Writes out and syncs what is left. Nothing may be written afterwards.
  Status Finish();

  uint32_t segments() const { return segments_; }
  // Of all segments.
  uint64_t bytes() const { return finished_bytes_ + offset_; }

 private:
  // Ends the current segment, if any, and begins the next one.
  Status Cut();
  // The bytes, to the file or into the buffer.
  Status Put(std::string_view bytes);
  Status Flush();

  const Open open_;
  std::function<Status()> sync_directory_;  // empty = there is none
  const uint64_t bytes_max_;
  const size_t buffer_bytes_;
  uint32_t segments_ = 0;
  uint64_t offset_ = 0;  // in the current segment
  uint64_t finished_bytes_ = 0;
  std::unique_ptr<io::WritableFile> file_;
  std::string buffer_;  // not yet in the file
};

}  // namespace gauntlet::tsdb
