// SegmentWriter: chunks into numbered files, a new one when the next chunk would not fit.
//
// Upstream: prometheus tsdb/chunks/chunks.go (Writer): cut at the same places, so that the bytes are the same.
// Threads:  one thread at a time.

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/status.h"
#include "io/file_system.h"
#include "tsdb/chunks/segment.h"

namespace gauntlet::tsdb {

class SegmentWriter {
 public:
  // `dir` exists and has no segments.
  SegmentWriter(io::FileSystem& files, std::string dir, uint64_t segment_bytes_max = kSegmentBytesMax)
      : files_(files), dir_(std::move(dir)), bytes_max_(segment_bytes_max) {}

  // Writes the chunks of one series; refs[i] receives where chunk i went.
  Status Write(std::span<const ChunkView> chunks, std::span<uint64_t> refs);
  // Writes out and syncs what is left. Nothing may be written afterwards.
  Status Finish();

  // Of all segments.
  uint64_t bytes() const { return finished_bytes_ + offset_; }

 private:
  // Ends the current segment, if any, and begins the next one.
  Status Cut();
  Status Flush();

  io::FileSystem& files_;
  const std::string dir_;
  const uint64_t bytes_max_;
  uint32_t segments_ = 0;
  uint64_t offset_ = 0;  // in the current segment
  uint64_t finished_bytes_ = 0;
  std::unique_ptr<io::WritableFile> file_;
  std::string buffer_;  // not yet in the file
};

}  // namespace gauntlet::tsdb
