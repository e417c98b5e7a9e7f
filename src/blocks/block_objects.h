// One block's objects: uploaded and deleted in the order that lets every reader see all of it or nothing.
//
// Upstream: thanos pkg/block/block.go
// Threads:  free functions; they block until their end.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/status.h"
#include "base/ulid.h"
#include "blocks/thanos_meta.h"
#include "io/file_system.h"
#include "objstore/bucket.h"

namespace gauntlet::blocks {

// The id when the path's last part is one: "01ARZ.../" or "x/01ARZ...".
std::optional<Ulid> BlockOfPath(std::string_view path);

// The files of a block's directory by path: chunks, index (with sizes and, when asked for, hashes) and meta.json.
// `hash_function`: "" or "SHA256".
Result<std::vector<BlockFile>> GatherFiles(io::FileSystem& files, const std::string& dir,
                                           const std::string& hash_function);

struct UploadBlockOptions {
  std::string hash_function;
  size_t concurrency = 1;    // segments at a time
  bool check_labels = true;  // a block without external labels is refused
  bool index_header = true;  // a ready-made index header goes with it (header_object.h), if that succeeds
};
// Chunks, index, index header and, when the bucket shows all of them with their sizes, meta.json, which gets the list
// of files and the time. What is there already is not sent again. `dir` ends in the block's id.
Status UploadBlock(objstore::Bucket& bucket, io::FileSystem& files, Executor& executor, Clock& clock,
                   const std::string& dir, const UploadBlockOptions& options, const Cancel& cancel);

// To `dir`. meta.json is always fetched; files that are there with the hash that it says are not.
Status DownloadBlock(objstore::Bucket& bucket, io::FileSystem& files, Executor& executor, const Ulid& id,
                     const std::string& dir, size_t concurrency, const Cancel& cancel);
Result<Meta> DownloadMeta(objstore::Bucket& bucket, const Ulid& id, const Cancel& cancel);

// meta.json first, the deletion mark last: what is left by a break is a partial block that will be deleted again.
Status DeleteBlock(objstore::Bucket& bucket, const Ulid& id, const Cancel& cancel);

}  // namespace gauntlet::blocks
