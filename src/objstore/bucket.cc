#include "objstore/bucket.h"

#include "objstore/sources.h"

namespace gauntlet::objstore {

Result<size_t> Bucket::ReadInto(const std::string& name, uint64_t offset, size_t length, char* out,
                                const Cancel& cancel) {
  size_t got = 0;
  GN_TRY(GetRange(name, offset, length, cancel, [&](std::string_view bytes) {
    if (bytes.size() > length - got) return Status(Code::kInternal, "the bucket gave more than it was asked for");
    bytes.copy(out + got, bytes.size());
    got += bytes.size();
    return Status();
  }));
  return got;
}

Result<std::string> ReadObject(Bucket& bucket, const std::string& name, const Cancel& cancel, size_t bytes_max) {
  std::string out;
  GN_TRY(bucket.Get(name, cancel, [&](std::string_view bytes) {
    if (bytes.size() > bytes_max - out.size()) {
      return Status(Code::kExhausted, name + " has more than " + std::to_string(bytes_max) + " bytes");
    }
    out.append(bytes);
    return Status();
  }));
  return out;
}

Result<std::string> ReadRange(Bucket& bucket, const std::string& name, uint64_t offset, uint64_t length,
                              const Cancel& cancel) {
  std::string out;
  GN_TRY(bucket.GetRange(name, offset, length, cancel, [&](std::string_view bytes) {
    out.append(bytes);
    return Status();
  }));
  return out;
}

Status WriteObject(Bucket& bucket, const std::string& name, std::string_view bytes, const Cancel& cancel,
                   const UploadOptions& options) {
  StringSource source(bytes);
  return bucket.Upload(name, source, options, cancel);
}

Status CheckObjectName(std::string_view name) {
  if (name.find('\0') != std::string_view::npos) return {Code::kInvalid, "object name with a zero byte"};
  for (size_t at = 0; at <= name.size();) {
    size_t slash = std::min(name.find('/', at), name.size());
    std::string_view part = name.substr(at, slash - at);
    if (part.empty() || part == "." || part == "..") {
      return {Code::kInvalid, "object name \"" + std::string(name) + "\" with an empty or relative part"};
    }
    at = slash + 1;
  }
  return Status();
}

std::string DirectoryPrefix(std::string_view dir) {
  while (dir.ends_with('/')) dir.remove_suffix(1);
  std::string prefix(dir);
  if (!prefix.empty()) prefix.push_back('/');
  return prefix;
}

}  // namespace gauntlet::objstore
