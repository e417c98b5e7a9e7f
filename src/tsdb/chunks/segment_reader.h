// SegmentReader: the chunks of a local block, mapped into memory.
//
// Upstream: prometheus tsdb/chunks/chunks.go (Reader)
// Threads:  immutable.           Owns: the mappings; views die with it. The files may be removed meanwhile.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "io/file_system.h"
#include "tsdb/chunks/segment.h"

namespace gauntlet::tsdb {

class SegmentReader {
 public:
  SegmentReader() = default;  // no segments
  // Maps every file of `dir` whose name is a number, in the order of the numbers.
  static Result<SegmentReader> Open(io::FileSystem& files, const std::string& dir);

  // The chunk, its checksum verified.
  Result<ChunkView> Read(uint64_t ref) const;

  // From the stored chunk on to the end of its segment; kNotFound when that is not there or ends before.
  Result<std::string_view> From(uint64_t ref) const;

  uint64_t bytes() const { return bytes_; }
  size_t segments() const { return segments_.size(); }

 private:
  std::vector<std::unique_ptr<io::MappedFile>> segments_;
  uint64_t bytes_ = 0;
};

}  // namespace gauntlet::tsdb
