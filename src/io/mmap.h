// MappedFile: the bytes of a whole file, read-only, mapped into memory or (from a fake file system) held on the heap.
//
// Threads: immutable.           Owns: its bytes; views die with it. The file may be removed meanwhile, but not cut.

#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"

namespace gauntlet::io {

enum class Access : uint8_t { kNormal, kRandom, kSequential, kDontNeed };

class MappedFile {
 public:
  static Result<std::unique_ptr<MappedFile>> Map(const std::string& path);
  explicit MappedFile(std::string bytes);  // on the heap
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::string_view bytes() const { return bytes_; }
  // Tells the kernel what will be read; only a hint. kDontNeed drops the pages from this process.
  void Advise(Access access) const { Advise(access, 0, bytes_.size()); }
  void Advise(Access access, size_t offset, size_t size) const;

 private:
  explicit MappedFile(std::string_view mapped) : mapped_(true), bytes_(mapped) {}

  const bool mapped_;
  std::string heap_;
  std::string_view bytes_;
};

}  // namespace gauntlet::io
