#include "tsdb/chunks/segment.h"

#include <fmt/format.h>

#include "base/varint.h"
#include "io/crc32c.h"

namespace gauntlet::tsdb {
namespace {

constexpr size_t kEncodingBytes = 1, kChecksumBytes = 4, kLengthBytesMax = 5;

}  // namespace

std::string SegmentName(uint32_t number) { return fmt::format("{:06}", number); }

Status CheckSegmentHeader(std::string_view segment) {
  ByteReader in(segment);
  uint32_t magic = 0, version = 0;
  if (!in.Be32(&magic) || !in.Be32(&version)) {
    return Status(Code::kCorrupt, fmt::format("segment of {} bytes has no header", segment.size()));
  }
  if (magic != kSegmentMagic) return Status(Code::kCorrupt, fmt::format("invalid magic number {:x}", magic));
  if (version >> 24 != 1) {
    return Status(Code::kUnsupported, fmt::format("invalid chunk format version {}", version >> 24));
  }
  return Status();
}

uint64_t StoredChunkBytes(std::string_view bytes) {
  ByteReader in(bytes.substr(0, kLengthBytesMax));
  uint64_t length = 0;
  if (!in.Uvarint(&length)) return 0;
  return static_cast<uint64_t>(in.position() - bytes.data()) + kEncodingBytes + length + kChecksumBytes;
}

Result<ChunkView> ReadStoredChunk(std::string_view bytes) {
  uint64_t size = StoredChunkBytes(bytes);
  if (size == 0) return Status(Code::kCorrupt, "the length of the chunk does not parse");
  if (size > bytes.size()) {
    return Status(
        Code::kCorrupt,
        fmt::format("the chunk does not end within its segment: it takes {} bytes, there are {}", size, bytes.size()));
  }
  ByteReader in(bytes);
  uint64_t length = 0;
  std::string_view checked;
  uint32_t checksum = 0;
  in.Uvarint(&length);
  in.Bytes(kEncodingBytes + length, &checked);
  in.Be32(&checksum);
  if (uint32_t actual = io::Crc32c(checked); actual != checksum) {
    return Status(Code::kCorrupt, fmt::format("checksum mismatch expected:{:x}, actual:{:x}", checksum, actual));
  }
  return ChunkView{static_cast<Encoding>(checked[0]), checked.substr(kEncodingBytes)};
}

void AppendStoredChunk(ChunkView chunk, std::string* out) {
  AppendUvarint(*out, chunk.bytes.size());
  size_t checked_at = out->size();
  out->push_back(static_cast<char>(chunk.encoding));
  out->append(chunk.bytes);
  uint32_t checksum = __builtin_bswap32(io::Crc32c(std::string_view(*out).substr(checked_at)));
  out->append(reinterpret_cast<const char*>(&checksum), sizeof(checksum));
}

}  // namespace gauntlet::tsdb
