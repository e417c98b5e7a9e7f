#include "io/fake_file_system.h"

#include <algorithm>
#include <utility>

#include "io/path.h"

namespace gauntlet::io {
namespace {

Status Missing(std::string_view doing, const std::string& path) {
  return Status(Code::kNotFound, std::string(doing) + " " + path + ": No such file or directory");
}

std::vector<std::string> Parts(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    size_t slash = std::min(path.find('/'), path.size());
    std::string_view part = path.substr(0, slash);
    if (!part.empty() && part != ".") parts.emplace_back(part);
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return parts;
}

}  // namespace

// A file or a directory, as it is seen and as the disk has it.
struct FakeFileSystem::Node {
  bool is_directory = false;
  int64_t modified_ms = 0;
  std::string bytes, disk_bytes;
  std::map<std::string, NodePtr> children, disk_children;
};

class FakeFileSystem::OpenForReading : public RandomFile {
 public:
  OpenForReading(FakeFileSystem& fs, NodePtr node, std::string path, uint64_t size)
      : fs_(fs), node_(std::move(node)), path_(std::move(path)), size_(size) {}
  uint64_t size() const override { return size_; }
  Status ReadTo(uint64_t offset, size_t n, char* out) const override {
    MutexLock lock(fs_.mutex_);
    GN_TRY(fs_.Count());
    if (offset > node_->bytes.size() || n > node_->bytes.size() - offset) {
      return Status(Code::kCorrupt, "read " + path_ + ": ends before byte " + std::to_string(offset + n));
    }
    node_->bytes.copy(out, n, offset);
    return Status();
  }

 private:
  FakeFileSystem& fs_;
  NodePtr node_;
  const std::string path_;
  const uint64_t size_;
};

class FakeFileSystem::OpenForWriting : public WritableFile {
 public:
  OpenForWriting(FakeFileSystem& fs, NodePtr node, uint64_t generation)
      : fs_(fs), node_(std::move(node)), generation_(generation) {}
  Status Append(std::string_view bytes) override {
    MutexLock lock(fs_.mutex_);
    GN_TRY(Alive());
    Status status = fs_.Count();
    if (!status.ok()) bytes = bytes.substr(0, bytes.size() / 2);
    node_->bytes.append(bytes);
    node_->modified_ms = ++fs_.now_ms_;
    return status;
  }
  Status Sync() override {
    MutexLock lock(fs_.mutex_);
    GN_TRY(Alive());
    GN_TRY(fs_.Count());
    node_->disk_bytes = node_->bytes;
    return Status();
  }
  uint64_t size() const override {
    MutexLock lock(fs_.mutex_);
    return node_->bytes.size();
  }

 private:
  Status Alive() GN_REQUIRES(fs_.mutex_) {
    return generation_ == fs_.generation_ ? Status()
                                          : Status(Code::kUnavailable, "file was open when the disk crashed");
  }

  FakeFileSystem& fs_;
  NodePtr node_;
  const uint64_t generation_;
};

class FakeFileSystem::HeldLock : public FileLock {
 public:
  HeldLock(FakeFileSystem& fs, std::string path, uint64_t generation)
      : fs_(fs), path_(std::move(path)), generation_(generation) {}
  ~HeldLock() override {
    MutexLock lock(fs_.mutex_);
    if (generation_ == fs_.generation_) std::erase(fs_.locked_, path_);
  }

 private:
  FakeFileSystem& fs_;
  const std::string path_;
  const uint64_t generation_;
};

FakeFileSystem::FakeFileSystem() : root_(std::make_shared<Node>()) { root_->is_directory = true; }
FakeFileSystem::~FakeFileSystem() = default;

void FakeFileSystem::Restore(Node& node) {
  node.bytes = node.disk_bytes;
  node.children = node.disk_children;
  for (auto& [name, child] : node.children) Restore(*child);
}

void FakeFileSystem::Crash() {
  MutexLock lock(mutex_);
  ++generation_;
  locked_.clear();
  Restore(*root_);
}

void FakeFileSystem::FailCall(int64_t n, Status status, bool every) {
  MutexLock lock(mutex_);
  fail_at_ = calls_ + n;
  fail_with_ = std::move(status);
  fail_every_ = every;
}

void FakeFileSystem::FailNone() {
  MutexLock lock(mutex_);
  fail_at_ = 0;
}

int64_t FakeFileSystem::calls() const {
  MutexLock lock(mutex_);
  return calls_;
}

Status FakeFileSystem::Count() {
  ++calls_;
  bool fails = fail_at_ != 0 && (fail_every_ ? calls_ >= fail_at_ : calls_ == fail_at_);
  return fails ? fail_with_ : Status();
}

FakeFileSystem::NodePtr FakeFileSystem::Find(const std::string& path) {
  NodePtr node = root_;
  for (const std::string& part : Parts(path)) {
    auto child = node->children.find(part);
    if (child == node->children.end()) return nullptr;
    node = child->second;
  }
  return node;
}

Result<FakeFileSystem::NodePtr> FakeFileSystem::FindFile(const std::string& path, std::string_view doing) {
  NodePtr node = Find(path);
  if (node == nullptr) return Missing(doing, path);
  if (node->is_directory) return Status(Code::kInvalid, std::string(doing) + " " + path + ": Is a directory");
  return node;
}

Result<FakeFileSystem::NodePtr> FakeFileSystem::FindParent(const std::string& path, std::string_view doing) {
  NodePtr parent = Find(std::string(DirName(path)));
  if (parent == nullptr || !parent->is_directory) return Missing(doing, path);
  return parent;
}

Result<std::string> FakeFileSystem::ReadFile(const std::string& path, size_t bytes_max) {
  MutexLock lock(mutex_);
  GN_TRY(Count());
  GN_ASSIGN(NodePtr node, FindFile(path, "read"));
  if (node->bytes.size() > bytes_max) {
    return Status(Code::kExhausted, "read " + path + ": more than " + std::to_string(bytes_max) + " bytes");
  }
  return node->bytes;
}

Result<std::unique_ptr<RandomFile>> FakeFileSystem::OpenRandom(const std::string& path) {
  MutexLock lock(mutex_);
  GN_TRY(Count());
  GN_ASSIGN(NodePtr node, FindFile(path, "open"));
  uint64_t size = node->bytes.size();
  return std::unique_ptr<RandomFile>(std::make_unique<OpenForReading>(*this, std::move(node), path, size));
}

Result<std::unique_ptr<MappedFile>> FakeFileSystem::Map(const std::string& path) {
  GN_ASSIGN(std::string bytes, ReadFile(path));
  return std::make_unique<MappedFile>(std::move(bytes));
}

Result<std::unique_ptr<WritableFile>> FakeFileSystem::OpenFile(const std::string& path, bool empty) {
  MutexLock lock(mutex_);
  GN_TRY(Count());
  GN_ASSIGN(NodePtr parent, FindParent(path, "open"));
  NodePtr& node = parent->children[std::string(BaseName(path))];
  if (node == nullptr) node = std::make_shared<Node>();
  if (node->is_directory) return Status(Code::kInvalid, "open " + path + ": Is a directory");
  if (empty) node->bytes.clear();
  node->modified_ms = ++now_ms_;
  return std::unique_ptr<WritableFile>(std::make_unique<OpenForWriting>(*this, node, generation_));
}

Result<std::unique_ptr<WritableFile>> FakeFileSystem::Create(const std::string& path) { return OpenFile(path, true); }
Result<std::unique_ptr<WritableFile>> FakeFileSystem::OpenAppend(const std::string& path) {
  return OpenFile(path, false);
}

Status FakeFileSystem::Truncate(const std::string& path, uint64_t bytes) {
  MutexLock lock(mutex_);
  GN_TRY(Count());
  GN_ASSIGN(NodePtr node, FindFile(path, "truncate"));
  node->bytes.resize(bytes);
  node->modified_ms = ++now_ms_;
  return Status();
}

Result<std::vector<FileInfo>> FakeFileSystem::List(const std::string& dir) {
  MutexLock lock(mutex_);
  GN_TRY(Count());
  NodePtr node = Find(dir);
  if (node == nullptr || !node->is_directory) return Missing("list", dir);
  std::vector<FileInfo> files;
  for (const auto& [name, child] : node->children) {
    files.push_back({name, child->bytes.size(), child->modified_ms, child->is_directory});
  }
  return files;
}

Result<FileInfo> FakeFileSystem::Stat(const std::string& path) {
  MutexLock lock(mutex_);
  GN_TRY(Count());
  NodePtr node = Find(path);
  if (node == nullptr) return Missing("stat", path);
  return FileInfo{std::string(BaseName(path)), node->bytes.size(), node->modified_ms, node->is_directory};
}

Status FakeFileSystem::MakeDirectories(const std::string& path) {
  MutexLock lock(mutex_);
  GN_TRY(Count());
  NodePtr node = root_;
  for (const std::string& part : Parts(path)) {
    NodePtr& child = node->children[part];
    if (child == nullptr) {
      child = std::make_shared<Node>();
      child->is_directory = true;
      child->modified_ms = ++now_ms_;
    }
    if (!child->is_directory) {
      return Status(Code::kExists, "mkdir " + path + ": there is a file of that name");
    }
    node = child;
  }
  return Status();
}

Status FakeFileSystem::Rename(const std::string& from, const std::string& to) {
  MutexLock lock(mutex_);
  GN_TRY(Count());
  NodePtr node = Find(from);
  if (node == nullptr) return Missing("rename", from);
  GN_ASSIGN(NodePtr from_parent, FindParent(from, "rename"));
  GN_ASSIGN(NodePtr to_parent, FindParent(to, "rename"));
  NodePtr there = Find(to);
  if (there == node) return Status();
  if (there != nullptr && (there->is_directory != node->is_directory || !there->children.empty())) {
    return Status(Code::kExists, "rename " + from + " to " + to + ": Directory not empty");
  }
  from_parent->children.erase(std::string(BaseName(from)));
  to_parent->children[std::string(BaseName(to))] = std::move(node);
  return Status();
}

Status FakeFileSystem::RemoveFile(const std::string& path) {
  MutexLock lock(mutex_);
  GN_TRY(Count());
  GN_ASSIGN(NodePtr node, FindFile(path, "remove"));
  GN_ASSIGN(NodePtr parent, FindParent(path, "remove"));
  parent->children.erase(std::string(BaseName(path)));
  return Status();
}

Status FakeFileSystem::RemoveEmptyDirectory(const std::string& path) {
  MutexLock lock(mutex_);
  GN_TRY(Count());
  NodePtr node = Find(path);
  if (node == nullptr) return {Code::kNotFound, "remove " + path + ": no such directory"};
  if (!node->is_directory || !node->children.empty()) return {Code::kExists, "remove " + path + ": not empty"};
  GN_ASSIGN(NodePtr parent, FindParent(path, "remove"));
  parent->children.erase(std::string(BaseName(path)));
  return Status();
}

Status FakeFileSystem::RemoveAll(const std::string& path) {
  MutexLock lock(mutex_);
  GN_TRY(Count());
  if (Find(path) == nullptr) return Status();
  GN_ASSIGN(NodePtr parent, FindParent(path, "remove"));
  parent->children.erase(std::string(BaseName(path)));
  return Status();
}

Status FakeFileSystem::Link(const std::string& from, const std::string& to) {
  MutexLock lock(mutex_);
  GN_TRY(Count());
  GN_ASSIGN(NodePtr node, FindFile(from, "link"));
  GN_ASSIGN(NodePtr parent, FindParent(to, "link"));
  if (!parent->children.emplace(std::string(BaseName(to)), node).second) {
    return Status(Code::kExists, "link " + from + " to " + to + ": File exists");
  }
  return Status();
}

Status FakeFileSystem::SyncDirectory(const std::string& dir) {
  MutexLock lock(mutex_);
  GN_TRY(Count());
  NodePtr node = Find(dir);
  if (node == nullptr || !node->is_directory) return Missing("fsync", dir);
  node->disk_children = node->children;
  return Status();
}

Result<std::unique_ptr<FileLock>> FakeFileSystem::Lock(const std::string& path) {
  std::unique_ptr<FileLock> held;
  {
    MutexLock lock(mutex_);
    if (std::find(locked_.begin(), locked_.end(), path) != locked_.end()) {
      return Status(Code::kUnavailable, "lock " + path + ": another process holds it");
    }
    locked_.push_back(path);
    held = std::make_unique<HeldLock>(*this, path, generation_);
  }
  GN_ASSIGN(auto file, Create(path));
  GN_TRY(file->Append("1\n"));
  return held;
}

}  // namespace gauntlet::io
