// The ready-made index header beside a block in a bucket: an extra object that our uploaders write and our store
// gateway reads, so that it need not read any index. Others ignore it; it goes with its block.
//
// Format:   docs/format/header-object.md
// Threads:  free functions; HeaderUnpacker is for one thread at a time.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/cancel.h"
#include "base/status.h"
#include "base/ulid.h"
#include "io/file_system.h"
#include "objstore/bucket.h"

namespace gauntlet::blocks {

inline constexpr char kHeaderObject[] = "gauntlet.index-header";  // below the block's id

// The object for the index at `index_path`, at `path`. A header is made beside it and removed again.
Status PackIndexHeader(io::FileSystem& files, const std::string& index_path, const std::string& path);

// Packs the header of the block in `dir`, whose last part is its id, and uploads it. What this needs for a while is
// written into `dir`, and removed.
Status UploadIndexHeader(objstore::Bucket& bucket, io::FileSystem& files, const std::string& dir, const Cancel& cancel);

// Fetches the header to `path`: there afterwards as a whole, or not at all. kNotFound when there is none; kCorrupt when
// it is damaged, or not that of an index of `index_bytes`.
Status DownloadIndexHeader(objstore::Bucket& bucket, io::FileSystem& files, const Ulid& block, uint64_t index_bytes,
                           const std::string& path, const Cancel& cancel);

// The same in memory.
Result<std::string> FetchIndexHeader(objstore::Bucket& bucket, const Ulid& block, uint64_t index_bytes,
                                     const Cancel& cancel);

// Takes the bytes of an object in order and writes the header in it. kCorrupt as soon as something is wrong.
class HeaderUnpacker {
 public:
  // `out` is borrowed.
  HeaderUnpacker(uint64_t index_bytes, io::WritableFile& out) : index_bytes_(index_bytes), out_(out) {}
  Status Append(std::string_view bytes);
  // After the last: kCorrupt when something is missing.
  Status Finish() const;

 private:
  Status ReadFront();
  Status ReadPiece();

  const uint64_t index_bytes_;
  io::WritableFile& out_;
  std::string buffer_;  // what is not used yet
  std::string plain_;
  bool front_read_ = false;
  uint64_t header_bytes_ = 0;
};

}  // namespace gauntlet::blocks
