// "GNH1", u64 bytes of the index, u64 bytes of the header, u32 CRC-32C of these; then the header in pieces of up to
// 4 MiB: u32 bytes and u32 CRC-32C of a zstd frame, and the frame.

#include "blocks/header_object.h"

#include <algorithm>
#include <utility>

#include "base/varint.h"
#include "blocks/block_objects.h"
#include "blocks/index_header.h"
#include "io/compress.h"
#include "io/crc32c.h"
#include "io/path.h"
#include "objstore/directories.h"
#include "tsdb/index/toc.h"

namespace gauntlet::blocks {
namespace {

using tsdb::AppendBe32;
using tsdb::AppendBe64;

constexpr std::string_view kMagic = "GNH1";
constexpr size_t kFrontBytes = 4 + 8 + 8 + 4, kPieceFrontBytes = 4 + 4;
constexpr size_t kPieceBytes = 4 << 20;
constexpr size_t kStoredPieceBytesMax = kPieceBytes + (1 << 20);

Status Malformed(std::string_view what) {
  return Status(Code::kCorrupt, "ready-made index header: " + std::string(what));
}

Status WritePieces(const io::RandomFile& header, uint64_t index_bytes, io::WritableFile& out) {
  std::string front(kMagic), plain, frame;
  AppendBe64(&front, index_bytes);
  AppendBe64(&front, header.size());
  AppendBe32(&front, io::Crc32c(front));
  GN_TRY(out.Append(front));
  for (uint64_t at = 0; at < header.size(); at += plain.size()) {
    GN_TRY(header.Read(at, static_cast<size_t>(std::min<uint64_t>(kPieceBytes, header.size() - at)), &plain));
    io::ZstdCompress(plain, 3, &frame);
    std::string piece;
    AppendBe32(&piece, static_cast<uint32_t>(frame.size()));
    AppendBe32(&piece, io::Crc32c(frame));
    GN_TRY(out.Append(piece));
    GN_TRY(out.Append(frame));
  }
  return Status();
}

}  // namespace

Status PackIndexHeader(io::FileSystem& files, const std::string& index_path, const std::string& path) {
  const std::string plain = path + ".plain";
  auto pack = [&]() -> Status {
    GN_ASSIGN(auto index, files.OpenRandom(index_path));
    auto read = [&](uint64_t offset, uint64_t n) -> Result<std::string> {
      std::string bytes;
      GN_TRY(index->Read(offset, static_cast<size_t>(n), &bytes));
      return bytes;
    };
    GN_TRY(WriteIndexHeader(index->size(), read, files, plain));
    GN_ASSIGN(auto header, files.OpenRandom(plain));
    GN_ASSIGN(auto out, files.Create(path));
    return WritePieces(*header, index->size(), *out);
  };
  Status packed = pack();
  (void)files.RemoveFile(plain).ok();
  return std::move(packed).Wrap("pack the index header of " + index_path);
}

Status UploadIndexHeader(objstore::Bucket& bucket, io::FileSystem& files, const std::string& dir,
                         const Cancel& cancel) {
  std::optional<Ulid> id = BlockOfPath(dir);
  if (!id.has_value()) return {Code::kInvalid, dir + " is no block's directory"};
  const std::string path = io::JoinPath(dir, kHeaderObject);
  Status done = PackIndexHeader(files, io::JoinPath(dir, kIndexFile), path);
  if (done.ok()) done = objstore::UploadFile(bucket, files, path, io::JoinPath(id->ToString(), kHeaderObject), cancel);
  (void)files.RemoveFile(path).ok();
  return done;
}

namespace {

Status Unpack(objstore::Bucket& bucket, const std::string& name, uint64_t index_bytes, const Cancel& cancel,
              io::WritableFile& out) {
  HeaderUnpacker unpacker(index_bytes, out);
  GN_TRY(bucket.Get(name, cancel, [&](std::string_view bytes) { return unpacker.Append(bytes); }));
  GN_TRY(unpacker.Finish());
  return out.Sync();
}

}  // namespace

Result<std::string> FetchIndexHeader(objstore::Bucket& bucket, const Ulid& block, uint64_t index_bytes,
                                     const Cancel& cancel) {
  const std::string name = io::JoinPath(block.ToString(), kHeaderObject);
  io::WritableString out;
  GN_TRY(Unpack(bucket, name, index_bytes, cancel, out).Wrap("fetch " + name));
  return std::move(out).Release();
}

Status DownloadIndexHeader(objstore::Bucket& bucket, io::FileSystem& files, const Ulid& block, uint64_t index_bytes,
                           const std::string& path, const Cancel& cancel) {
  const std::string temporary = path + ".tmp", name = io::JoinPath(block.ToString(), kHeaderObject);
  Status done;
  {
    GN_ASSIGN(auto out, files.Create(temporary));
    done = Unpack(bucket, name, index_bytes, cancel, *out);
  }
  if (done.ok()) done = files.Rename(temporary, path);
  if (done.ok()) return files.SyncDirectory(std::string(io::DirName(path)));
  (void)files.RemoveFile(temporary).ok();
  return std::move(done).Wrap("fetch " + name);
}

Status HeaderUnpacker::Append(std::string_view bytes) {
  buffer_ += bytes;
  if (!front_read_) {
    if (buffer_.size() < kFrontBytes) return Status();
    GN_TRY(ReadFront());
  }
  while (buffer_.size() >= kPieceFrontBytes) {
    ByteReader in(buffer_);
    uint32_t stored = 0;
    in.Be32(&stored);
    if (stored > kStoredPieceBytesMax) return Malformed("a piece is too long");
    if (buffer_.size() < kPieceFrontBytes + stored) return Status();
    GN_TRY(ReadPiece());
  }
  return Status();
}

Status HeaderUnpacker::ReadFront() {
  ByteReader in(buffer_);
  std::string_view magic;
  uint64_t index_bytes = 0;
  uint32_t checksum = 0;
  in.Bytes(kMagic.size(), &magic);
  in.Be64(&index_bytes);
  in.Be64(&header_bytes_);
  in.Be32(&checksum);
  if (magic != kMagic) return Malformed("it is none");
  if (io::Crc32c(std::string_view(buffer_).substr(0, kFrontBytes - 4)) != checksum)
    return Malformed("invalid checksum of its front");
  if (index_bytes != index_bytes_) return Malformed("it is that of another index");
  buffer_.erase(0, kFrontBytes);
  front_read_ = true;
  return Status();
}

Status HeaderUnpacker::ReadPiece() {
  ByteReader in(buffer_);
  uint32_t stored = 0, checksum = 0;
  std::string_view frame;
  in.Be32(&stored);
  in.Be32(&checksum);
  in.Bytes(stored, &frame);
  if (io::Crc32c(frame) != checksum) return Malformed("invalid checksum of a piece");
  Status plain = io::ZstdDecompress(frame, kPieceBytes, &plain_);
  if (!plain.ok()) return Malformed(plain.message());
  if (plain_.empty() || out_.size() + plain_.size() > header_bytes_) return Malformed("it is longer than it says");
  GN_TRY(out_.Append(plain_));
  buffer_.erase(0, kPieceFrontBytes + stored);
  return Status();
}

Status HeaderUnpacker::Finish() const {
  if (!front_read_ || !buffer_.empty() || out_.size() != header_bytes_) return Malformed("it ends early");
  return Status();
}

}  // namespace gauntlet::blocks
