#include "objstore/filesystem_bucket.h"

#include <unistd.h>

#include <algorithm>

#include "base/clock.h"
#include "base/ulid.h"
#include "io/direct_file.h"
#include "io/path.h"

namespace gauntlet::objstore {
namespace {

// Where unfinished uploads lie: beside the objects, on the same file system; no listing shows it.
constexpr char kAside[] = ".gauntlet-uploads", kAsideListed[] = ".gauntlet-uploads/";
constexpr int64_t kLeftoverMs = int64_t{24} * 3600 * 1000;
constexpr size_t kReadBytes = 512 << 10;
constexpr int kDepthMax = 100;
// What is as long, or of a length that nobody knows, is not kept in the machine's cache while it is written: that costs
// more than the rest of an upload, and pushes out what is read.
constexpr uint64_t kDirectBytesMin = 4 << 20;

std::string Absolute(const std::string& directory) {
  std::string path = directory;
  if (!path.starts_with('/')) {
    char cwd[4096];
    if (getcwd(cwd, sizeof(cwd)) != nullptr) path = io::JoinPath(cwd, path);
  }
  // Without "." and "..", as Go's filepath.Abs: the path is a metric's label.
  std::vector<std::string_view> parts;
  for (size_t at = 0; at < path.size();) {
    size_t slash = std::min(path.find('/', at), path.size());
    std::string_view part = std::string_view(path).substr(at, slash - at);
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
    } else if (!part.empty() && part != ".") {
      parts.push_back(part);
    }
    at = slash + 1;
  }
  std::string clean;
  for (std::string_view part : parts) clean.append("/").append(part);
  return clean.empty() ? "/" : clean;
}

}  // namespace

FilesystemBucket::FilesystemBucket(io::FileSystem& files, const std::string& directory)
    : files_(files), root_(Absolute(directory)), aside_dir_(io::JoinPath(root_, kAside)) {}

Result<std::string> FilesystemBucket::PathOf(const std::string& name, const Cancel& cancel) const {
  GN_TRY(cancel.status());
  GN_TRY(CheckObjectName(name));
  return io::JoinPath(root_, name);
}

// As the names of objects sort: a directory with its slash, which it has here.
Result<std::vector<io::FileInfo>> FilesystemBucket::ListSorted(const std::string& dir) const {
  GN_ASSIGN(std::vector<io::FileInfo> all, files_.ListNames(dir));
  for (io::FileInfo& info : all) {
    if (info.is_directory) info.name.push_back('/');
  }
  std::sort(all.begin(), all.end(), [](const io::FileInfo& a, const io::FileInfo& b) { return a.name < b.name; });
  return all;
}

Result<bool> FilesystemBucket::HasObjects(const std::string& dir) const {
  Result<std::vector<io::FileInfo>> children = files_.ListNames(dir);
  if (!children.ok()) return children.status().code() == Code::kNotFound ? Result<bool>(false) : children.status();
  for (const io::FileInfo& child : *children) {
    if (!child.is_directory) return true;
  }
  for (const io::FileInfo& child : *children) {
    GN_ASSIGN(bool below, HasObjects(io::JoinPath(dir, child.name)));
    if (below) return true;
  }
  return false;
}

Status FilesystemBucket::Iter(const std::string& dir, const IterOptions& options, const Cancel& cancel,
                              const OnEntry& on_entry) {
  std::string prefix = DirectoryPrefix(dir);
  if (!prefix.empty()) GN_TRY(CheckObjectName(std::string_view(prefix).substr(0, prefix.size() - 1)));
  return Walk(prefix, options, cancel, on_entry, 0);
}

Status FilesystemBucket::Walk(const std::string& prefix, const IterOptions& options, const Cancel& cancel,
                              const OnEntry& on_entry, int depth) const {
  GN_TRY(cancel.status());
  if (depth > kDepthMax) return {Code::kInvalid, "list " + prefix + ": directories too deep"};
  const std::string dir = io::JoinPath(root_, prefix);
  Result<std::vector<io::FileInfo>> children = ListSorted(dir);
  if (!children.ok()) {
    if (children.status().code() == Code::kNotFound) return Status();
    // A file where a directory is asked for: no entries.
    Result<io::FileInfo> info = files_.Stat(dir.substr(0, dir.size() - 1));
    if (info.ok() && !info->is_directory) return Status();
    return children.status();
  }
  // A folded directory beside files need not be looked into: the directory above it is one with objects anyway.
  const bool any_file = std::any_of(children->begin(), children->end(), [](const auto& c) { return !c.is_directory; });
  for (const io::FileInfo& child : *children) {
    if (prefix.empty() && child.name == kAsideListed) continue;
    const std::string name = prefix + child.name;
    if (!child.is_directory) {
      GN_TRY(TellFile(name, options, on_entry));
      continue;
    }
    if (options.recursive && !options.MayInclude(name)) continue;
    const bool folds = options.recursive && options.fold && options.fold(name);
    if (options.recursive && !folds) {
      GN_TRY(Walk(name, options, cancel, on_entry, depth + 1));
      continue;
    }
    bool objects = folds && any_file;
    if (!objects) {
      GN_ASSIGN(objects, HasObjects(io::JoinPath(root_, name)));
    }
    if (objects) GN_TRY(on_entry({name, 0, 0}));
  }
  return Status();
}

Status FilesystemBucket::TellFile(const std::string& name, const IterOptions& options, const OnEntry& on_entry) const {
  if (options.recursive && !options.Includes(name)) return Status();
  if (!options.attributes) return on_entry({name, 0, 0});
  Result<io::FileInfo> info = files_.Stat(io::JoinPath(root_, name));
  if (info.ok()) return on_entry({name, info->bytes, info->modified_ms});
  return info.status().code() == Code::kNotFound ? Status() : info.status();  // deleted meanwhile
}

Status FilesystemBucket::Get(const std::string& name, const Cancel& cancel, const OnBytes& on_bytes) {
  return GetRange(name, 0, UINT64_MAX, cancel, on_bytes);
}

Result<std::unique_ptr<io::RandomFile>> FilesystemBucket::Open(const std::string& name, const Cancel& cancel) const {
  GN_ASSIGN(std::string path, PathOf(name, cancel));
  GN_ASSIGN(io::FileInfo info, files_.Stat(path));
  if (info.is_directory) return Status(Code::kNotFound, "no object " + name);
  return files_.OpenRandom(path);
}

Status FilesystemBucket::GetRange(const std::string& name, uint64_t offset, uint64_t length, const Cancel& cancel,
                                  const OnBytes& on_bytes) {
  GN_ASSIGN(auto file, Open(name, cancel));
  if (offset >= file->size()) return Status();
  uint64_t end = offset + std::min(length, file->size() - offset);
  std::string bytes;
  while (offset < end) {
    GN_TRY(cancel.status());
    auto n = static_cast<size_t>(std::min<uint64_t>(kReadBytes, end - offset));
    GN_TRY(file->Read(offset, n, &bytes));
    GN_TRY(on_bytes(bytes));
    offset += n;
  }
  return Status();
}

Result<size_t> FilesystemBucket::ReadInto(const std::string& name, uint64_t offset, size_t length, char* out,
                                          const Cancel& cancel) {
  GN_ASSIGN(auto file, Open(name, cancel));
  if (offset >= file->size()) return size_t{0};
  length = static_cast<size_t>(std::min<uint64_t>(length, file->size() - offset));
  GN_TRY(file->ReadTo(offset, length, out));
  return length;
}

Result<bool> FilesystemBucket::Exists(const std::string& name, const Cancel& cancel) {
  GN_ASSIGN(std::string path, PathOf(name, cancel));
  Result<io::FileInfo> info = files_.Stat(path);
  if (info.ok()) return !info->is_directory;
  if (info.status().code() == Code::kNotFound) return false;
  return info.status();
}

Result<ObjectAttributes> FilesystemBucket::Attributes(const std::string& name, const Cancel& cancel) {
  GN_ASSIGN(std::string path, PathOf(name, cancel));
  GN_ASSIGN(io::FileInfo info, files_.Stat(path));
  if (info.is_directory) return Status(Code::kNotFound, "no object " + name);
  return ObjectAttributes{info.bytes, info.modified_ms};
}

Status FilesystemBucket::Upload(const std::string& name, Source& source, const UploadOptions& options,
                                const Cancel& cancel) {
  GN_ASSIGN(std::string path, PathOf(name, cancel));
  GN_TRY(MakeDurable(aside_dir_));
  if (!looked_for_leftovers_.exchange(true)) RemoveLeftovers();
  std::string aside = io::JoinPath(aside_dir_, Ulid::Make(SystemClock().NowMs()).ToString());
  Status status = WriteAside(aside, source, cancel);
  if (status.ok()) status = Publish(aside, path, options.if_absent);
  if (!status.ok()) (void)files_.RemoveFile(aside);  // of a failed attempt: what matters is the first error
  return status;
}

Status FilesystemBucket::WriteAside(const std::string& path, Source& source, const Cancel& cancel) const {
  const bool large = source.bytes().value_or(kDirectBytesMin) >= kDirectBytesMin;
  GN_ASSIGN(auto file, large ? files_.CreateDirect(path) : files_.Create(path));
  io::AlignedBytes buffer = io::MakeAligned(kReadBytes);
  while (true) {
    GN_TRY(cancel.status());
    GN_ASSIGN(std::string_view bytes, source.Next(buffer.get(), kReadBytes));
    if (bytes.empty()) break;
    GN_TRY(file->Append(bytes));
  }
  if (source.bytes().has_value() && file->size() != *source.bytes()) {
    return {Code::kCorrupt, "the source has other bytes than it said"};
  }
  return file->Sync();
}

Status FilesystemBucket::Publish(const std::string& aside, const std::string& path, bool if_absent) const {
  for (int attempt = 0;; ++attempt) {
    GN_TRY(MakeDurable(std::string(io::DirName(path))));
    Status status = if_absent ? files_.Link(aside, path) : files_.Rename(aside, path);
    if (status.ok()) break;
    // Somebody deleted the last object beside it, and with it the directory.
    if (status.code() != Code::kNotFound || attempt == 10) return status;
  }
  if (if_absent) GN_TRY(files_.RemoveFile(aside));
  return files_.SyncDirectory(std::string(io::DirName(path)));
}

Status FilesystemBucket::MakeDurable(const std::string& dir) const {
  std::vector<std::string> made;
  for (std::string at = dir; at.size() > 1 && !files_.Exists(at); at = io::DirName(at)) made.push_back(at);
  if (made.empty()) return Status();
  GN_TRY(files_.MakeDirectories(dir));
  for (const std::string& at : made) {
    Status status = files_.SyncDirectory(std::string(io::DirName(at)));
    if (!status.ok() && status.code() != Code::kNotFound) return status;
  }
  return Status();
}

void FilesystemBucket::RemoveLeftovers() {
  Result<std::vector<io::FileInfo>> files = files_.List(aside_dir_);
  if (!files.ok()) return;
  for (const io::FileInfo& file : *files) {
    if (file.modified_ms < SystemClock().NowMs() - kLeftoverMs && Ulid::Parse(file.name).has_value()) {
      (void)files_.RemoveFile(io::JoinPath(aside_dir_, file.name));  // best effort; it harms nobody
    }
  }
}

Status FilesystemBucket::Delete(const std::string& name, const Cancel& cancel) {
  GN_ASSIGN(std::string path, PathOf(name, cancel));
  if (Status status = files_.RemoveFile(path); !status.ok()) {
    if (status.code() == Code::kNotFound) return Status();
    return status;
  }
  GN_TRY(files_.SyncDirectory(std::string(io::DirName(path))));
  for (std::string dir(io::DirName(path)); dir.size() > root_.size(); dir = io::DirName(dir)) {
    if (!files_.RemoveEmptyDirectory(dir).ok()) break;  // another object lives there
  }
  return Status();
}

}  // namespace gauntlet::objstore
