#include "blocks/block_objects.h"

#include <algorithm>
#include <map>

#include "blocks/header_object.h"
#include "blocks/markers.h"
#include "io/path.h"
#include "io/sha256.h"
#include "model/time.h"
#include "objstore/directories.h"

namespace gauntlet::blocks {
namespace {

constexpr size_t kMetaBytesMax = 64 << 20;
constexpr size_t kHashBytes = 1 << 20;
constexpr char kSha256[] = "SHA256";

Result<std::string> HashFile(io::FileSystem& files, const std::string& path) {
  GN_ASSIGN(auto file, files.OpenRandom(path));
  io::Sha256Stream hash;
  std::string buffer;
  for (uint64_t at = 0; at < file->size();) {
    auto n = static_cast<size_t>(std::min<uint64_t>(kHashBytes, file->size() - at));
    GN_TRY(file->Read(at, n, &buffer));
    hash.Append(buffer);
    at += n;
  }
  return io::HexText(hash.Finish());
}

// What the bucket has of a block, with sizes, by path below it.
Result<std::map<std::string, uint64_t>> ListBlock(objstore::Bucket& bucket, const Ulid& id, const Cancel& cancel) {
  const std::string prefix = id.ToString() + "/";
  std::map<std::string, uint64_t> objects;
  GN_TRY(bucket.Iter(prefix, {.recursive = true, .attributes = true}, cancel, [&](const objstore::ObjectEntry& entry) {
    objects[std::string(entry.name.substr(prefix.size()))] = entry.bytes;
    return Status();
  }));
  return objects;
}

}  // namespace

std::optional<Ulid> BlockOfPath(std::string_view path) {
  std::string_view name = io::BaseName(path);
  return name.size() == 26 ? Ulid::Parse(name) : std::nullopt;
}

Result<std::vector<BlockFile>> GatherFiles(io::FileSystem& files, const std::string& dir,
                                           const std::string& hash_function) {
  std::vector<BlockFile> found;
  auto add = [&](const std::string& rel_path) -> Status {
    const std::string path = io::JoinPath(dir, rel_path);
    GN_ASSIGN(io::FileInfo info, files.Stat(path));
    BlockFile& file = found.emplace_back();
    file.rel_path = rel_path;
    file.bytes = static_cast<int64_t>(info.bytes);
    if (hash_function != kSha256) return Status();
    file.hash_function = kSha256;
    GN_ASSIGN(file.hash, HashFile(files, path));
    return Status();
  };
  GN_ASSIGN(std::vector<io::FileInfo> segments, files.List(io::JoinPath(dir, kChunksDirectory)));
  for (const io::FileInfo& segment : segments) GN_TRY(add(io::JoinPath(kChunksDirectory, segment.name)));
  GN_TRY(add(kIndexFile));
  GN_TRY(files.Stat(io::JoinPath(dir, tsdb::kMetaFile)).status());
  found.emplace_back().rel_path = tsdb::kMetaFile;  // its size changes with this very list
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.rel_path < b.rel_path; });
  return found;
}

Status UploadBlock(objstore::Bucket& bucket, io::FileSystem& files, Executor& executor, Clock& clock,
                   const std::string& dir, const UploadBlockOptions& options, const Cancel& cancel) {
  std::optional<Ulid> id = BlockOfPath(dir);
  if (!id.has_value()) return {Code::kInvalid, dir + " is no block's directory"};
  GN_ASSIGN(std::string text, files.ReadFile(io::JoinPath(dir, tsdb::kMetaFile), kMetaBytesMax));
  GN_ASSIGN(Meta meta, ParseMeta(text));
  if (options.check_labels && meta.thanos.labels.empty()) {
    return {Code::kInvalid, "empty external labels are not allowed for Thanos block."};
  }
  GN_ASSIGN(meta.thanos.files, GatherFiles(files, dir, options.hash_function));
  const std::string name = id->ToString();
  using Objects = std::map<std::string, uint64_t>;
  GN_ASSIGN(Objects there, ListBlock(bucket, *id, cancel));
  // Objects are whole and blocks do not change: what an attempt before this one brought there need not go again.
  auto has = [&](const Objects& objects, const BlockFile& file) {
    auto found = objects.find(file.rel_path);
    return found != objects.end() && found->second == static_cast<uint64_t>(file.bytes);
  };
  std::vector<std::string> chunks, rest;
  for (const BlockFile& file : meta.thanos.files) {
    if (file.rel_path == tsdb::kMetaFile || has(there, file)) continue;
    (file.rel_path == kIndexFile ? rest : chunks).push_back(file.rel_path);
  }
  for (const std::vector<std::string>* part : {&chunks, &rest}) {
    GN_TRY(objstore::ForEachConcurrently(
        executor, part->size(), options.concurrency, cancel, [&](size_t i, const Cancel& one) {
          const std::string& path = (*part)[i];
          return objstore::UploadFile(bucket, files, io::JoinPath(dir, path), io::JoinPath(name, path), one);
        }));
  }
  // The block is as good without it.
  if (options.index_header && there.count(kHeaderObject) == 0) {
    Status header = UploadIndexHeader(bucket, files, dir, cancel);
    if (!header.ok()) GN_TRY(cancel.status());
  }
  GN_ASSIGN(there, ListBlock(bucket, *id, cancel));
  for (const BlockFile& file : meta.thanos.files) {
    if (file.rel_path != tsdb::kMetaFile && !has(there, file)) {
      return {Code::kUnavailable,
              "the bucket does not show all of " + name + "/" + file.rel_path + " after its upload"};
    }
  }
  meta.thanos.upload_time = FormatRfc3339Ms(clock.NowMs());
  return objstore::WriteObject(bucket, io::JoinPath(name, tsdb::kMetaFile), FormatMeta(meta), cancel);
}

Result<Meta> DownloadMeta(objstore::Bucket& bucket, const Ulid& id, const Cancel& cancel) {
  const std::string name = io::JoinPath(id.ToString(), tsdb::kMetaFile);
  GN_ASSIGN(std::string text, objstore::ReadObject(bucket, name, cancel, kMetaBytesMax));
  Result<Meta> meta = ParseMeta(text);
  if (!meta.ok()) return meta.status().Wrap("read " + name);
  if (meta->block.ulid != id) return Status(Code::kCorrupt, "read " + name + ": it is of another block");
  return meta;
}

Status DownloadBlock(objstore::Bucket& bucket, io::FileSystem& files, Executor& executor, const Ulid& id,
                     const std::string& dir, size_t concurrency, const Cancel& cancel) {
  GN_TRY(files.MakeDirectories(io::JoinPath(dir, kChunksDirectory)));
  const std::string name = id.ToString();
  GN_TRY(objstore::DownloadFile(bucket, files, io::JoinPath(name, tsdb::kMetaFile), io::JoinPath(dir, tsdb::kMetaFile),
                                cancel));
  GN_ASSIGN(std::string text, files.ReadFile(io::JoinPath(dir, tsdb::kMetaFile), kMetaBytesMax));
  GN_ASSIGN(Meta meta, ParseMeta(text));
  std::vector<std::string> have = {tsdb::kMetaFile};
  for (const BlockFile& file : meta.thanos.files) {
    if (file.hash_function != kSha256) continue;
    GN_TRY(objstore::CheckObjectName(file.rel_path));
    Result<std::string> hash = HashFile(files, io::JoinPath(dir, file.rel_path));
    if (hash.ok() && *hash == file.hash) have.push_back(file.rel_path);
  }
  objstore::DirectoryOptions options;
  options.concurrency = concurrency;
  options.skip = [&](std::string_view path) { return std::find(have.begin(), have.end(), path) != have.end(); };
  return objstore::DownloadDirectory(bucket, files, executor, name, dir, options, cancel);
}

Status DeleteBlock(objstore::Bucket& bucket, const Ulid& id, const Cancel& cancel) {
  const std::string dir = id.ToString() + "/";
  const std::string meta = dir + tsdb::kMetaFile, mark = dir + kDeletionMarkFile;
  GN_TRY(bucket.Delete(meta, cancel));
  std::vector<std::string> names;
  GN_TRY(bucket.Iter(dir, {.recursive = true}, cancel, [&](const objstore::ObjectEntry& entry) {
    if (entry.name != meta && entry.name != mark) names.emplace_back(entry.name);
    return Status();
  }));
  // Objects that stand for directories ("01A/chunks/") have no name that can be deleted; their stores drop them.
  for (const std::string& name : names) {
    if (!name.ends_with('/')) GN_TRY(bucket.Delete(name, cancel));
  }
  return bucket.Delete(mark, cancel);
}

}  // namespace gauntlet::blocks
