// FileSystem: the only way to files. The real one, and in fake_file_system.h one that loses unsynced data and fails.
//
// What is written is durable only after Sync() on the file and SyncDirectory() on the directory in which it was made,
// renamed or removed. WriteAtomically does all of it.
//
// Threads: a FileSystem and a RandomFile are thread-safe; a WritableFile is for one thread at a time.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "io/mmap.h"

namespace gauntlet::io {

struct FileInfo {
  std::string name;  // without its directory
  uint64_t bytes = 0;
  int64_t modified_ms = 0;
  bool is_directory = false;
};

// Reads anywhere in a file.
class RandomFile {
 public:
  virtual ~RandomFile() = default;
  virtual uint64_t size() const = 0;  // when it was opened
  // Exactly `n` bytes from `offset` to `out`; kCorrupt when the file ends before.
  virtual Status ReadTo(uint64_t offset, size_t n, char* out) const = 0;
  // The same, *out replaced by them.
  Status Read(uint64_t offset, size_t n, std::string* out) const {
    out->resize(n);
    return ReadTo(offset, n, out->data());
  }
};

// Writes at the end of a file. Closed, but not synced, on destruction.
class WritableFile {
 public:
  virtual ~WritableFile() = default;
  virtual Status Append(std::string_view bytes) = 0;
  virtual Status Sync() = 0;
  // Bytes in the file.
  virtual uint64_t size() const = 0;
};

inline constexpr size_t kDirectAlignment = 4096;

// A file that is written into memory alone.
class WritableString final : public WritableFile {
 public:
  Status Append(std::string_view bytes) override {
    bytes_.append(bytes);
    return Status();
  }
  Status Sync() override { return Status(); }
  uint64_t size() const override { return bytes_.size(); }
  std::string Release() && { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Holds a lock file; lets go on destruction.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // kExhausted when it has more than `bytes_max`.
  virtual Result<std::string> ReadFile(const std::string& path, size_t bytes_max = size_t{1} << 40) = 0;
  virtual Result<std::unique_ptr<RandomFile>> OpenRandom(const std::string& path) = 0;
  virtual Result<std::unique_ptr<MappedFile>> Map(const std::string& path) = 0;

  // Makes the file, or empties it.
  virtual Result<std::unique_ptr<WritableFile>> Create(const std::string& path) = 0;
  // The same for one that is large and written once from front to back: past the cache of the machine where that can
  // be had, so that what is read there stays in it. Appends of whole blocks of kDirectAlignment bytes, from memory that
  // is aligned so, are not copied. All of it is in the file after Sync() only.
  virtual Result<std::unique_ptr<WritableFile>> CreateDirect(const std::string& path) { return Create(path); }
  // Makes the file, or goes on at its end.
  virtual Result<std::unique_ptr<WritableFile>> OpenAppend(const std::string& path) = 0;
  virtual Status Truncate(const std::string& path, uint64_t bytes) = 0;
  // Afterwards `path` has the old or the new content, whatever happens: path.tmp, sync, rename, sync of the directory.
  Status WriteAtomically(const std::string& path, std::string_view bytes);

  virtual Result<std::vector<FileInfo>> List(const std::string& dir) = 0;  // by name
  // The same without sizes and times: not a call for each file, where the directory itself says what it is.
  virtual Result<std::vector<FileInfo>> ListNames(const std::string& dir) { return List(dir); }
  virtual Result<FileInfo> Stat(const std::string& path) = 0;
  bool Exists(const std::string& path) { return Stat(path).ok(); }
  virtual Status MakeDirectories(const std::string& path) = 0;  // with its parents; ok when it is there
  // Replaces a file (or an empty directory) that is there.
  virtual Status Rename(const std::string& from, const std::string& to) = 0;
  virtual Status RemoveFile(const std::string& path) = 0;
  // kExists when it has anything in it.
  virtual Status RemoveEmptyDirectory(const std::string& path) = 0;
  // A file, or a directory with everything in it; ok when there is nothing.
  virtual Status RemoveAll(const std::string& path) = 0;
  // Hard link; kExists when `to` is there.
  virtual Status Link(const std::string& from, const std::string& to) = 0;
  virtual Status SyncDirectory(const std::string& dir) = 0;
  // Against other processes and others in this one; kUnavailable when somebody holds it. Writes the process id into it.
  virtual Result<std::unique_ptr<FileLock>> Lock(const std::string& path) = 0;
};

// The real one; one for the process.
FileSystem& RealFileSystem();

}  // namespace gauntlet::io
