// FakeFileSystem: files in memory, with the promises of a disk and no more: what was not synced is gone after Crash().
//
// Threads: thread-safe. Files and locks must not outlive it.

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "io/file_system.h"

namespace gauntlet::io {

class FakeFileSystem : public FileSystem {
 public:
  FakeFileSystem();
  ~FakeFileSystem() override;

  // The power fails: bytes not synced, and names whose directory was not synced, go back to what they were. Open files
  // write no more (kUnavailable), locks are free.
  void Crash();
  // The n-th call from now (1 = the next) fails with `status`, and with `every` all after it. A failing Append leaves
  // half of its bytes. Every operation counts, also those of open files.
  void FailCall(int64_t n, Status status, bool every = false);
  void FailNone();
  // Calls so far: to fail each of them in turn.
  int64_t calls() const;

  Result<std::string> ReadFile(const std::string& path, size_t bytes_max = size_t{1} << 40) override;
  Result<std::unique_ptr<RandomFile>> OpenRandom(const std::string& path) override;
  Result<std::unique_ptr<MappedFile>> Map(const std::string& path) override;
  Result<std::unique_ptr<WritableFile>> Create(const std::string& path) override;
  Result<std::unique_ptr<WritableFile>> OpenAppend(const std::string& path) override;
  Status Truncate(const std::string& path, uint64_t bytes) override;
  Result<std::vector<FileInfo>> List(const std::string& dir) override;
  Result<FileInfo> Stat(const std::string& path) override;
  Status MakeDirectories(const std::string& path) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status RemoveFile(const std::string& path) override;
  Status RemoveEmptyDirectory(const std::string& path) override;
  Status RemoveAll(const std::string& path) override;
  Status Link(const std::string& from, const std::string& to) override;
  Status SyncDirectory(const std::string& dir) override;
  Result<std::unique_ptr<FileLock>> Lock(const std::string& path) override;

 private:
  struct Node;
  using NodePtr = std::shared_ptr<Node>;
  class OpenForReading;
  class OpenForWriting;
  class HeldLock;

  Status Count() GN_REQUIRES(mutex_);
  NodePtr Find(const std::string& path) GN_REQUIRES(mutex_);
  Result<NodePtr> FindFile(const std::string& path, std::string_view doing) GN_REQUIRES(mutex_);
  Result<NodePtr> FindParent(const std::string& path, std::string_view doing) GN_REQUIRES(mutex_);
  Result<std::unique_ptr<WritableFile>> OpenFile(const std::string& path, bool empty);
  static void Restore(Node& node);

  mutable Mutex mutex_;
  NodePtr root_ GN_GUARDED_BY(mutex_);
  int64_t calls_ GN_GUARDED_BY(mutex_) = 0;
  int64_t fail_at_ GN_GUARDED_BY(mutex_) = 0;  // 0 = none
  bool fail_every_ GN_GUARDED_BY(mutex_) = false;
  Status fail_with_ GN_GUARDED_BY(mutex_);
  uint64_t generation_ GN_GUARDED_BY(mutex_) = 0;  // crashes so far
  int64_t now_ms_ GN_GUARDED_BY(mutex_) = 0;       // one more with each change, for modification times
  std::vector<std::string> locked_ GN_GUARDED_BY(mutex_);
};

}  // namespace gauntlet::io
