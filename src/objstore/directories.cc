#include "objstore/directories.h"

#include <algorithm>
#include <atomic>
#include <vector>

#include "base/mutex.h"
#include "io/path.h"
#include "objstore/sources.h"

namespace gauntlet::objstore {
namespace {

Status ListFiles(io::FileSystem& files, const std::string& dir, const std::string& below,
                 std::vector<std::string>* names) {
  GN_ASSIGN(std::vector<io::FileInfo> children, files.List(io::JoinPath(dir, below)));
  for (const io::FileInfo& child : children) {
    std::string name = io::JoinPath(below, child.name);
    if (child.is_directory) {
      GN_TRY(ListFiles(files, dir, name, names));
    } else {
      names->push_back(std::move(name));
    }
  }
  return Status();
}

void RemoveSkipped(const DirectoryOptions& options, std::vector<std::string>* names) {
  if (!options.skip) return;
  names->erase(std::remove_if(names->begin(), names->end(), options.skip), names->end());
}

}  // namespace

Status ForEachConcurrently(Executor& executor, size_t count, size_t concurrency, const Cancel& cancel,
                           const std::function<Status(size_t, const Cancel&)>& body) {
  CancelSource stop(cancel);
  Mutex mutex;
  Status first;
  std::atomic<size_t> next{0};
  ParallelFor(executor, std::min(std::max<size_t>(concurrency, 1), count), [&](size_t) {
    for (size_t i = next++; i < count; i = next++) {
      Status status = stop.cancel().status();
      if (status.ok()) status = body(i, stop.cancel());
      if (status.ok()) continue;
      {
        MutexLock lock(mutex);
        if (first.ok()) first = status;
      }
      stop.Stop(Status(Code::kCancelled, "another part of the work ended with an error"));
      return;
    }
  });
  return first;
}

Status UploadFile(Bucket& bucket, io::FileSystem& files, const std::string& path, const std::string& name,
                  const Cancel& cancel) {
  GN_ASSIGN(auto source, FileSource::Open(files, path));
  return bucket.Upload(name, *source, {}, cancel).Wrap("upload " + path + " as " + name);
}

Status UploadDirectory(Bucket& bucket, io::FileSystem& files, Executor& executor, const std::string& dir,
                       const std::string& prefix, const DirectoryOptions& options, const Cancel& cancel) {
  std::vector<std::string> names;
  GN_TRY(ListFiles(files, dir, "", &names));
  RemoveSkipped(options, &names);
  return ForEachConcurrently(executor, names.size(), options.concurrency, cancel, [&](size_t i, const Cancel& part) {
    return UploadFile(bucket, files, io::JoinPath(dir, names[i]), io::JoinPath(prefix, names[i]), part);
  });
}

Status DownloadFile(Bucket& bucket, io::FileSystem& files, const std::string& name, const std::string& path,
                    const Cancel& cancel) {
  // Not ".tmp": objects are called so, left behind by other writers.
  const std::string aside = path + ".downloading";
  auto download = [&]() -> Status {
    GN_ASSIGN(auto file, files.Create(aside));
    GN_TRY(bucket.Get(name, cancel, [&](std::string_view bytes) { return file->Append(bytes); }));
    GN_TRY(file->Sync());
    file.reset();
    GN_TRY(files.Rename(aside, path));
    return files.SyncDirectory(std::string(io::DirName(path)));
  };
  Status status = download();
  if (!status.ok()) (void)files.RemoveFile(aside);  // of a failed attempt: what matters is the first error
  return std::move(status).Wrap("download " + name);
}

Status DownloadDirectory(Bucket& bucket, io::FileSystem& files, Executor& executor, const std::string& prefix,
                         const std::string& dir, const DirectoryOptions& options, const Cancel& cancel) {
  const std::string source = DirectoryPrefix(prefix);
  std::vector<std::string> names;
  GN_TRY(bucket.Iter(source, {.recursive = true}, cancel, [&](const ObjectEntry& entry) {
    std::string_view name = entry.name.substr(source.size());
    GN_TRY(CheckObjectName(name));  // it becomes a path
    names.emplace_back(name);
    return Status();
  }));
  RemoveSkipped(options, &names);
  std::vector<std::atomic<bool>> written(names.size());
  GN_TRY(files.MakeDirectories(dir));
  Status status =
      ForEachConcurrently(executor, names.size(), options.concurrency, cancel, [&](size_t i, const Cancel& part) {
        std::string path = io::JoinPath(dir, names[i]);
        GN_TRY(files.MakeDirectories(std::string(io::DirName(path))));
        GN_TRY(DownloadFile(bucket, files, source + names[i], path, part));
        written[i] = true;
        return Status();
      });
  if (!status.ok()) {
    for (size_t i = 0; i < names.size(); ++i) {
      if (written[i]) (void)files.RemoveFile(io::JoinPath(dir, names[i]));  // what matters is the first error
    }
  }
  return status;
}

}  // namespace gauntlet::objstore
