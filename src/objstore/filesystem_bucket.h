// FilesystemBucket: objects as files below a directory. An upload is written aside, synced and renamed, so that readers
// (also Thanos') and a power cut see all of an object or none.
//
// Upstream: objstore providers/filesystem
// Threads:  thread-safe, also against other processes on the directory.

#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "io/file_system.h"
#include "objstore/bucket.h"

namespace gauntlet::objstore {

class FilesystemBucket final : public Bucket {
 public:
  // Made with the first upload when it is not there. `directory` is absolute or below the working directory.
  FilesystemBucket(io::FileSystem& files, const std::string& directory);

  std::string_view provider() const override { return "FILESYSTEM"; }
  std::string name() const override { return "fs: " + root_; }
  bool lists_ranges() const override { return true; }
  Status Iter(const std::string& dir, const IterOptions& options, const Cancel& cancel,
              const OnEntry& on_entry) override;
  Status Get(const std::string& name, const Cancel& cancel, const OnBytes& on_bytes) override;
  Status GetRange(const std::string& name, uint64_t offset, uint64_t length, const Cancel& cancel,
                  const OnBytes& on_bytes) override;
  Result<size_t> ReadInto(const std::string& name, uint64_t offset, size_t length, char* out,
                          const Cancel& cancel) override;
  Result<bool> Exists(const std::string& name, const Cancel& cancel) override;
  Result<ObjectAttributes> Attributes(const std::string& name, const Cancel& cancel) override;
  Status Upload(const std::string& name, Source& source, const UploadOptions& options, const Cancel& cancel) override;
  Status Delete(const std::string& name, const Cancel& cancel) override;

 private:
  Result<std::unique_ptr<io::RandomFile>> Open(const std::string& name, const Cancel& cancel) const;
  Result<std::string> PathOf(const std::string& name, const Cancel& cancel) const;
  Result<std::vector<io::FileInfo>> ListSorted(const std::string& dir) const;
  Result<bool> HasObjects(const std::string& dir) const;
  Status Walk(const std::string& prefix, const IterOptions& options, const Cancel& cancel, const OnEntry& on_entry,
              int depth) const;
  Status TellFile(const std::string& name, const IterOptions& options, const OnEntry& on_entry) const;
  Status WriteAside(const std::string& path, Source& source, const Cancel& cancel) const;
  // Puts the finished file in its place, with the directories above it; all of it durable.
  Status Publish(const std::string& aside, const std::string& path, bool if_absent) const;
  // Makes a directory and those above it.
  Status MakeDurable(const std::string& dir) const;
  void RemoveLeftovers();

  io::FileSystem& files_;
  std::string root_;
  std::string aside_dir_;
  std::atomic<bool> looked_for_leftovers_{false};
};

}  // namespace gauntlet::objstore
