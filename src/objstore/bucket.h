// Bucket: named objects in a store, the same for every provider.
//
// Names are paths without a leading slash; a "directory" is only what names have in common up to a slash. Errors every
// provider tells apart: kNotFound, kDenied (access), kUnavailable and kDeadline (try again), kCancelled.
//
// Upstream: github.com/thanos-io/objstore
// Threads:  a Bucket is thread-safe; calls block until their end, their cancel or its deadline.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/cancel.h"
#include "base/status.h"

namespace gauntlet::io {
class RandomFile;
}

namespace gauntlet::objstore {

struct ObjectAttributes {
  uint64_t bytes = 0;
  int64_t modified_ms = 0;
};

struct ObjectEntry {
  std::string_view name;  // from the root of the bucket; a directory's ends in '/'
  // Of objects, when attributes were asked for.
  uint64_t bytes = 0;
  int64_t modified_ms = 0;
  bool is_directory() const { return name.ends_with('/'); }
};

struct IterOptions {
  bool recursive = false;   // all objects below, and no directories
  bool attributes = false;  // size and time of objects: costs a call each on some file systems
  // In a recursive listing: a directory ("a/b/", from the root) for which this is true may be told by one entry instead
  // of all objects below, where a store has directories and is spared work by it.
  std::function<bool(std::string_view)> fold = nullptr;
  // Of a recursive listing, where the bucket lists_ranges(): the names after the one and up to the other; "" = no
  // bound.
  std::string after, until;
  bool Includes(std::string_view name) const { return name > after && (until.empty() || name <= until); }
  // A name behind all of them and not far, for stores that list up to one without it; "" = no bound.
  std::string End() const { return until.empty() ? "" : until + "!"; }
  // Whether there may be any below a directory ("a/").
  bool MayInclude(std::string_view dir) const {
    return (dir > after || after.starts_with(dir)) && (until.empty() || dir <= until);
  }
};

// The bytes of an upload. Threads: one thread at a time, but for what file() gives.
class Source {
 public:
  virtual ~Source() = default;
  // Up to `n` bytes to `out`; 0 at the end.
  virtual Result<size_t> Read(char* out, size_t n) = 0;
  // The same where the bytes lie: in the source's memory, or in *buffer, which is `n` bytes. Valid until the next call.
  virtual Result<std::string_view> Next(char* buffer, size_t n) {
    GN_ASSIGN(size_t got, Read(buffer, n));
    return std::string_view(buffer, got);
  }
  // How many bytes there are in all, when that is known.
  virtual std::optional<uint64_t> bytes() const { return std::nullopt; }
  // Set when all of them can be read by offset, again and from many threads: then nothing needs to be buffered.
  virtual const io::RandomFile* file() const { return nullptr; }
};

struct UploadOptions {
  // kExists when there is such an object already; kUnsupported where the store cannot promise that.
  bool if_absent = false;
  std::string content_type;
};

class Bucket {
 public:
  using OnEntry = std::function<Status(const ObjectEntry&)>;
  using OnBytes = std::function<Status(std::string_view)>;

  virtual ~Bucket() = default;
  // "S3", "FILESYSTEM": the type of the configuration.
  virtual std::string_view provider() const = 0;
  // The label of metrics: the bucket's name, "fs: /path".
  virtual std::string name() const = 0;

  // Entries below `dir` ("" = the root; with or without its slash) in ascending order of their bytes. Nothing there is
  // no error. An error of the callback ends the walk and is returned.
  virtual Status Iter(const std::string& dir, const IterOptions& options, const Cancel& cancel,
                      const OnEntry& on_entry) = 0;
  // Whether Iter heeds IterOptions' `after` and `until`, so that parts of a listing can be asked for side by side.
  virtual bool lists_ranges() const { return false; }
  // The object's bytes in order, each once, however often the connection broke in between. An error of the callback
  // ends the call and is returned.
  virtual Status Get(const std::string& name, const Cancel& cancel, const OnBytes& on_bytes) = 0;
  // Up to `length` bytes from `offset`; fewer, or none, when the object ends before.
  virtual Status GetRange(const std::string& name, uint64_t offset, uint64_t length, const Cancel& cancel,
                          const OnBytes& on_bytes) = 0;
  // The same to `out`, without a copy in between where the store allows that; how many there were.
  virtual Result<size_t> ReadInto(const std::string& name, uint64_t offset, size_t length, char* out,
                                  const Cancel& cancel);
  virtual Result<bool> Exists(const std::string& name, const Cancel& cancel) = 0;
  virtual Result<ObjectAttributes> Attributes(const std::string& name, const Cancel& cancel) = 0;
  // Afterwards the object is there with these bytes; before, and on an error, it is as it was: never in part.
  virtual Status Upload(const std::string& name, Source& source, const UploadOptions& options,
                        const Cancel& cancel) = 0;
  // Ok when there is none.
  virtual Status Delete(const std::string& name, const Cancel& cancel) = 0;
};

// The object as a string; kExhausted when it is longer than `bytes_max`.
Result<std::string> ReadObject(Bucket& bucket, const std::string& name, const Cancel& cancel,
                               size_t bytes_max = size_t{1} << 30);
Result<std::string> ReadRange(Bucket& bucket, const std::string& name, uint64_t offset, uint64_t length,
                              const Cancel& cancel);
Status WriteObject(Bucket& bucket, const std::string& name, std::string_view bytes, const Cancel& cancel,
                   const UploadOptions& options = {});

// kInvalid unless `name` can be an object in every provider: not empty, no empty, "." or ".." part, no NUL.
Status CheckObjectName(std::string_view name);
// "a" and "a/" are "a/", "" stays.
std::string DirectoryPrefix(std::string_view dir);

}  // namespace gauntlet::objstore
