#include "objstore/memory_bucket.h"

#include <algorithm>
#include <vector>

namespace gauntlet::objstore {

void MemoryBucket::SetFault(Fault fault) {
  MutexLock lock(mutex_);
  fault_ = fault ? std::make_shared<const Fault>(std::move(fault)) : nullptr;
}

void MemoryBucket::SetModified(const std::string& name, int64_t modified_ms) {
  MutexLock lock(mutex_);
  if (auto found = objects_.find(name); found != objects_.end()) found->second.modified_ms = modified_ms;
}

std::map<std::string, int64_t, std::less<>> MemoryBucket::calls() const {
  MutexLock lock(mutex_);
  return calls_;
}

std::map<std::string, std::string> MemoryBucket::objects() const {
  MutexLock lock(mutex_);
  std::map<std::string, std::string> all;
  for (const auto& [name, object] : objects_) all[name] = *object.bytes;
  return all;
}

Status MemoryBucket::Begin(std::string_view operation, const std::string& name, const Cancel& cancel) {
  GN_TRY(cancel.status());
  if (operation != "iter") GN_TRY(CheckObjectName(name));
  std::shared_ptr<const Fault> fault;
  {
    MutexLock lock(mutex_);
    ++calls_[std::string(operation)];
    fault = fault_;
  }
  return fault != nullptr ? (*fault)(operation, name) : Status();
}

Result<MemoryBucket::Object> MemoryBucket::Find(const std::string& name) const {
  MutexLock lock(mutex_);
  auto found = objects_.find(name);
  if (found == objects_.end()) return Status(Code::kNotFound, "no object " + name);
  return found->second;
}

Status MemoryBucket::Iter(const std::string& dir, const IterOptions& options, const Cancel& cancel,
                          const OnEntry& on_entry) {
  GN_TRY(Begin("iter", dir, cancel));
  const std::string prefix = DirectoryPrefix(dir);
  struct Entry {
    std::string name;
    uint64_t bytes;
    int64_t modified_ms;
  };
  std::vector<Entry> entries;
  {
    MutexLock lock(mutex_);
    for (auto at = objects_.lower_bound(prefix); at != objects_.end() && at->first.starts_with(prefix); ++at) {
      size_t slash = options.recursive ? std::string::npos : at->first.find('/', prefix.size());
      if (options.recursive && !options.Includes(at->first)) continue;
      if (slash == std::string::npos) {
        entries.push_back({at->first, at->second.bytes->size(), at->second.modified_ms});
      } else if (std::string name = at->first.substr(0, slash + 1); entries.empty() || entries.back().name != name) {
        entries.push_back({std::move(name), 0, 0});
      }
    }
  }
  for (const Entry& entry : entries) {
    GN_TRY(cancel.status());
    GN_TRY(on_entry({entry.name, entry.bytes, entry.modified_ms}));
  }
  return Status();
}

Status MemoryBucket::Get(const std::string& name, const Cancel& cancel, const OnBytes& on_bytes) {
  GN_TRY(Begin("get", name, cancel));
  GN_ASSIGN(Object object, Find(name));
  return object.bytes->empty() ? Status() : on_bytes(*object.bytes);
}

Status MemoryBucket::GetRange(const std::string& name, uint64_t offset, uint64_t length, const Cancel& cancel,
                              const OnBytes& on_bytes) {
  GN_TRY(Begin("get_range", name, cancel));
  GN_ASSIGN(Object object, Find(name));
  if (offset >= object.bytes->size() || length == 0) return Status();
  return on_bytes(std::string_view(*object.bytes).substr(offset, length));
}

Result<bool> MemoryBucket::Exists(const std::string& name, const Cancel& cancel) {
  GN_TRY(Begin("exists", name, cancel));
  return Find(name).ok();
}

Result<ObjectAttributes> MemoryBucket::Attributes(const std::string& name, const Cancel& cancel) {
  GN_TRY(Begin("attributes", name, cancel));
  GN_ASSIGN(Object object, Find(name));
  return ObjectAttributes{object.bytes->size(), object.modified_ms};
}

Status MemoryBucket::Upload(const std::string& name, Source& source, const UploadOptions& options,
                            const Cancel& cancel) {
  GN_TRY(Begin("upload", name, cancel));
  std::string bytes, part(64 << 10, '\0');
  while (true) {
    GN_TRY(cancel.status());
    GN_ASSIGN(size_t n, source.Read(part.data(), part.size()));
    if (n == 0) break;
    bytes.append(part, 0, n);
  }
  Object object{std::make_shared<const std::string>(std::move(bytes)), clock_.NowMs()};
  MutexLock lock(mutex_);
  if (options.if_absent && objects_.contains(name)) return {Code::kExists, "there is an object " + name};
  objects_[name] = std::move(object);
  return Status();
}

Status MemoryBucket::Delete(const std::string& name, const Cancel& cancel) {
  GN_TRY(Begin("delete", name, cancel));
  MutexLock lock(mutex_);
  objects_.erase(name);
  return Status();
}

}  // namespace gauntlet::objstore
