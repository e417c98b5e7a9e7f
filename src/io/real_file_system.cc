#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "io/descriptor.h"
#include "io/direct_file.h"
#include "io/errno_status.h"
#include "io/file_system.h"
#include "io/path.h"

namespace gauntlet::io {
namespace {

constexpr mode_t kFileMode = 0666, kDirectoryMode = 0777;  // less the umask, as Go does

Result<Descriptor> Open(const std::string& path, int flags) {
  for (;;) {
    int fd = open(path.c_str(), flags | O_CLOEXEC, kFileMode);
    if (fd >= 0) return Descriptor(fd);
    if (errno != EINTR) return ErrnoStatus("open", path);
  }
}

Result<struct stat> StatOf(const Descriptor& fd, const std::string& path) {
  struct stat info;
  if (fstat(fd.get(), &info) != 0) return ErrnoStatus("stat", path);
  return info;
}

FileInfo ToInfo(std::string name, const struct stat& info) {
  return {std::move(name), static_cast<uint64_t>(info.st_size),
          static_cast<int64_t>(info.st_mtim.tv_sec) * 1000 + info.st_mtim.tv_nsec / 1'000'000, S_ISDIR(info.st_mode)};
}

// Fills `out` from `offset`; false at the end of the file.
Result<bool> ReadFully(int fd, const std::string& path, uint64_t offset, char* out, size_t n) {
  while (n > 0) {
    ssize_t got = pread(fd, out, n, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus("read", path);
    if (got == 0) return false;
    out += got;
    n -= static_cast<size_t>(got);
    offset += static_cast<uint64_t>(got);
  }
  return true;
}

class RealRandomFile : public RandomFile {
 public:
  RealRandomFile(Descriptor fd, std::string path, uint64_t size)
      : fd_(std::move(fd)), path_(std::move(path)), size_(size) {}
  uint64_t size() const override { return size_; }
  Status ReadTo(uint64_t offset, size_t n, char* out) const override {
    GN_ASSIGN(bool whole, ReadFully(fd_.get(), path_, offset, out, n));
    if (whole) return Status();
    return Status(Code::kCorrupt, "read " + path_ + ": ends before byte " + std::to_string(offset + n));
  }

 private:
  Descriptor fd_;
  const std::string path_;
  const uint64_t size_;
};

class RealWritableFile : public WritableFile {
 public:
  RealWritableFile(Descriptor fd, std::string path, uint64_t size)
      : fd_(std::move(fd)), path_(std::move(path)), size_(size) {}
  Status Append(std::string_view bytes) override {
    while (!bytes.empty()) {
      ssize_t put = write(fd_.get(), bytes.data(), bytes.size());
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return ErrnoStatus("write", path_);
      size_ += static_cast<uint64_t>(put);
      bytes.remove_prefix(static_cast<size_t>(put));
    }
    return Status();
  }
  Status Sync() override { return fdatasync(fd_.get()) == 0 ? Status() : ErrnoStatus("fsync", path_); }
  uint64_t size() const override { return size_; }

 private:
  Descriptor fd_;
  const std::string path_;
  uint64_t size_;
};

class RealLock : public FileLock {
 public:
  explicit RealLock(Descriptor fd) : fd_(std::move(fd)) {}

 private:
  Descriptor fd_;
};

class RealFileSystemImpl : public FileSystem {
 public:
  Result<std::string> ReadFile(const std::string& path, size_t bytes_max) override {
    GN_ASSIGN(Descriptor fd, Open(path, O_RDONLY));
    GN_ASSIGN(struct stat info, StatOf(fd, path));
    // Files of /proc have size 0: read on until the end.
    std::string bytes(std::max<size_t>(static_cast<size_t>(info.st_size), 1), '\0');
    for (size_t used = 0;;) {
      ssize_t got = read(fd.get(), bytes.data() + used, bytes.size() - used);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return ErrnoStatus("read", path);
      used += static_cast<size_t>(got);
      if (used > bytes_max) {
        return Status(Code::kExhausted, "read " + path + ": more than " + std::to_string(bytes_max) + " bytes");
      }
      if (got == 0) {
        bytes.resize(used);
        return bytes;
      }
      if (used == bytes.size()) bytes.resize(used + std::clamp<size_t>(used / 2, 4096, 1 << 20));
    }
  }
  Result<std::unique_ptr<RandomFile>> OpenRandom(const std::string& path) override {
    GN_ASSIGN(Descriptor fd, Open(path, O_RDONLY));
    GN_ASSIGN(struct stat info, StatOf(fd, path));
    return std::unique_ptr<RandomFile>(
        std::make_unique<RealRandomFile>(std::move(fd), path, static_cast<uint64_t>(info.st_size)));
  }
  Result<std::unique_ptr<MappedFile>> Map(const std::string& path) override { return MappedFile::Map(path); }

  Result<std::unique_ptr<WritableFile>> Create(const std::string& path) override {
    return OpenForWriting(path, O_WRONLY | O_CREAT | O_TRUNC);
  }
  Result<std::unique_ptr<WritableFile>> CreateDirect(const std::string& path) override {
    int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_DIRECT | O_CLOEXEC, kFileMode);
    if (fd < 0) return Create(path);  // there are file systems without it
    return std::unique_ptr<WritableFile>(std::make_unique<DirectFile>(Descriptor(fd), path));
  }
  Result<std::unique_ptr<WritableFile>> OpenAppend(const std::string& path) override {
    return OpenForWriting(path, O_WRONLY | O_CREAT | O_APPEND);
  }
  Status Truncate(const std::string& path, uint64_t bytes) override {
    return truncate(path.c_str(), static_cast<off_t>(bytes)) == 0 ? Status() : ErrnoStatus("truncate", path);
  }

  Result<std::vector<FileInfo>> List(const std::string& dir) override { return Entries(dir, true); }
  Result<std::vector<FileInfo>> ListNames(const std::string& dir) override { return Entries(dir, false); }
  Result<FileInfo> Stat(const std::string& path) override {
    struct stat info;
    if (stat(path.c_str(), &info) != 0) return ErrnoStatus("stat", path);
    return ToInfo(std::string(BaseName(path)), info);
  }
  Status MakeDirectories(const std::string& path) override {
    if (mkdir(path.c_str(), kDirectoryMode) == 0) return Status();
    if (errno == ENOENT) {
      std::string parent(DirName(path));
      if (parent == path) return ErrnoStatus("mkdir", path);
      GN_TRY(MakeDirectories(parent));
      if (mkdir(path.c_str(), kDirectoryMode) == 0) return Status();
    }
    if (errno != EEXIST) return ErrnoStatus("mkdir", path);
    GN_ASSIGN(FileInfo info, Stat(path));
    return info.is_directory ? Status() : Status(Code::kExists, "mkdir " + path + ": there is a file of that name");
  }
  Status Rename(const std::string& from, const std::string& to) override {
    return rename(from.c_str(), to.c_str()) == 0 ? Status() : ErrnoStatus("rename " + from + " to", to);
  }
  Status RemoveFile(const std::string& path) override {
    return unlink(path.c_str()) == 0 ? Status() : ErrnoStatus("remove", path);
  }
  Status RemoveEmptyDirectory(const std::string& path) override {
    return rmdir(path.c_str()) == 0 ? Status() : ErrnoStatus("remove", path);
  }
  Status RemoveAll(const std::string& path) override {
    struct stat info;
    if (lstat(path.c_str(), &info) != 0) return errno == ENOENT ? Status() : ErrnoStatus("remove", path);
    if (!S_ISDIR(info.st_mode)) return RemoveFile(path);
    GN_ASSIGN(std::vector<FileInfo> children, List(path));
    for (const FileInfo& child : children) GN_TRY(RemoveAll(JoinPath(path, child.name)));
    return rmdir(path.c_str()) == 0 ? Status() : ErrnoStatus("remove", path);
  }
  Status Link(const std::string& from, const std::string& to) override {
    return link(from.c_str(), to.c_str()) == 0 ? Status() : ErrnoStatus("link " + from + " to", to);
  }
  Status SyncDirectory(const std::string& dir) override {
    GN_ASSIGN(Descriptor fd, Open(dir, O_RDONLY | O_DIRECTORY));
    return fsync(fd.get()) == 0 ? Status() : ErrnoStatus("fsync", dir);
  }
  Result<std::unique_ptr<FileLock>> Lock(const std::string& path) override {
    GN_ASSIGN(Descriptor fd, Open(path, O_RDWR | O_CREAT));
    if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return ErrnoStatus("lock", path);
      return Status(Code::kUnavailable, "lock " + path + ": another process holds it");
    }
    std::string id = std::to_string(getpid()) + "\n";
    if (ftruncate(fd.get(), 0) != 0 || pwrite(fd.get(), id.data(), id.size(), 0) < 0) return ErrnoStatus("write", path);
    return std::unique_ptr<FileLock>(std::make_unique<RealLock>(std::move(fd)));
  }

 private:
  static Result<std::vector<FileInfo>> Entries(const std::string& dir, bool attributes) {
    DIR* handle = opendir(dir.c_str());
    if (handle == nullptr) return ErrnoStatus("list", dir);
    std::vector<FileInfo> files;
    while (const dirent* entry = readdir(handle)) {
      std::string name = entry->d_name;
      if (name == "." || name == "..") continue;
      if (!attributes && (entry->d_type == DT_REG || entry->d_type == DT_DIR)) {
        files.push_back({std::move(name), 0, 0, entry->d_type == DT_DIR});
        continue;
      }
      struct stat info;
      // One that vanished meanwhile is not there; a link without a target is listed as what it is.
      if (fstatat(dirfd(handle), entry->d_name, &info, 0) != 0 &&
          fstatat(dirfd(handle), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
        continue;
      }
      files.push_back(ToInfo(std::move(name), info));
    }
    closedir(handle);
    std::sort(files.begin(), files.end(), [](const FileInfo& a, const FileInfo& b) { return a.name < b.name; });
    return files;
  }
  static Result<std::unique_ptr<WritableFile>> OpenForWriting(const std::string& path, int flags) {
    GN_ASSIGN(Descriptor fd, Open(path, flags));
    GN_ASSIGN(struct stat info, StatOf(fd, path));
    return std::unique_ptr<WritableFile>(
        std::make_unique<RealWritableFile>(std::move(fd), path, static_cast<uint64_t>(info.st_size)));
  }
};

}  // namespace

FileSystem& RealFileSystem() {
  static RealFileSystemImpl file_system;
  return file_system;
}

}  // namespace gauntlet::io
