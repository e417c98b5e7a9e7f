// Whole directories to a bucket and from it, several files at a time.
//
// Upstream: objstore.UploadDir, DownloadDir
// Threads:  free functions; they block until their end.

#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/cancel.h"
#include "base/executor.h"
#include "base/status.h"
#include "io/file_system.h"
#include "objstore/bucket.h"

namespace gauntlet::objstore {

struct DirectoryOptions {
  size_t concurrency = 1;  // files at a time; 0 = 1
  // Names below the source ("chunks/000001") that are left out. Null = none.
  std::function<bool(std::string_view)> skip;
};

Status UploadFile(Bucket& bucket, io::FileSystem& files, const std::string& path, const std::string& name,
                  const Cancel& cancel);
// All files below `dir` as `prefix`/.... The first error ends it; what was uploaded before stays.
Status UploadDirectory(Bucket& bucket, io::FileSystem& files, Executor& executor, const std::string& dir,
                       const std::string& prefix, const DirectoryOptions& options, const Cancel& cancel);

// The file is complete and synced, or it is not there.
Status DownloadFile(Bucket& bucket, io::FileSystem& files, const std::string& name, const std::string& path,
                    const Cancel& cancel);
// All objects below `prefix` to files below `dir`. After an error, the files that it wrote are removed.
Status DownloadDirectory(Bucket& bucket, io::FileSystem& files, Executor& executor, const std::string& prefix,
                         const std::string& dir, const DirectoryOptions& options, const Cancel& cancel);

// body(i) for each i < count, up to `concurrency` at once; stops at the first error, which it returns. The Cancel given
// to body ends with that error too.
Status ForEachConcurrently(Executor& executor, size_t count, size_t concurrency, const Cancel& cancel,
                           const std::function<Status(size_t, const Cancel&)>& body);

}  // namespace gauntlet::objstore
