// DirectFile: a file written past the page cache: from front to back, in whole aligned blocks. Its end, which is no
// whole block, and all of it where the file system refuses, goes the usual way.
//
// Upstream: none: Thanos writes through the cache
// Threads:  one thread at a time.           Owns: a buffer of a megabyte, once it is needed.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "io/descriptor.h"
#include "io/file_system.h"

namespace gauntlet::io {

// Memory for direct reading and writing.
struct FreeAligned {
  void operator()(char* bytes) const;
};
using AlignedBytes = std::unique_ptr<char[], FreeAligned>;
AlignedBytes MakeAligned(size_t n);

class DirectFile : public WritableFile {
 public:
  // Opened for writing, with O_DIRECT, and empty.
  DirectFile(Descriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Status Append(std::string_view bytes) override;
  Status Sync() override;
  uint64_t size() const override { return size_; }

 private:
  // All bytes to the end of the file; directly as long as they are whole blocks.
  Status Write(std::string_view bytes);
  Status LeaveDirect();

  const Descriptor fd_;
  const std::string path_;
  bool direct_ = true;
  uint64_t size_ = 0;
  AlignedBytes buffer_;
  size_t used_ = 0;  // of the buffer, not yet in the file
};

}  // namespace gauntlet::io
