// Sources of uploads: a string, a file.
//
// Threads: one thread at a time; file() as io::RandomFile.

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "io/file_system.h"
#include "objstore/bucket.h"

namespace gauntlet::objstore {

// Bytes in memory as a file. Borrows them.
class BytesFile final : public io::RandomFile {
 public:
  explicit BytesFile(std::string_view bytes) : bytes_(bytes) {}
  uint64_t size() const override { return bytes_.size(); }
  Status ReadTo(uint64_t offset, size_t n, char* out) const override;
  std::string_view bytes() const { return bytes_; }

 private:
  const std::string_view bytes_;
};

// Borrows the bytes.
class StringSource final : public Source {
 public:
  explicit StringSource(std::string_view bytes) : file_(bytes) {}
  Result<size_t> Read(char* out, size_t n) override;
  std::optional<uint64_t> bytes() const override { return file_.size(); }
  const io::RandomFile* file() const override { return &file_; }

 private:
  const BytesFile file_;
  size_t at_ = 0;
};

class FileSource final : public Source {
 public:
  static Result<std::unique_ptr<FileSource>> Open(io::FileSystem& files, const std::string& path);
  explicit FileSource(std::unique_ptr<io::RandomFile> file) : file_(std::move(file)) {}
  Result<size_t> Read(char* out, size_t n) override;
  std::optional<uint64_t> bytes() const override { return file_->size(); }
  const io::RandomFile* file() const override { return file_.get(); }

 private:
  const std::unique_ptr<io::RandomFile> file_;
  uint64_t at_ = 0;
};

}  // namespace gauntlet::objstore
