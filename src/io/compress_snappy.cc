#include <snappy.h>

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "io/compress.h"
#include "io/crc32c.h"

namespace gauntlet::io {
namespace {

constexpr size_t kBlockMax = 65536;     // of one framed chunk, uncompressed
constexpr size_t kSnappyRatioMax = 22;  // a copy element makes at most 64 bytes of 3
constexpr std::string_view kStreamHeader("\xff\x06\x00\x00sNaPpY", 10);
enum : uint8_t { kCompressedChunk = 0x00, kPlainChunk = 0x01, kSkippableFrom = 0x80, kHeaderChunk = 0xff };

Status SnappyBroken(std::string_view why) { return Status(Code::kCorrupt, "snappy: " + std::string(why)); }

Status SnappyTooLarge(size_t bytes_max) {
  return Status(Code::kExhausted, "snappy: decompresses to more than " + std::to_string(bytes_max) + " bytes");
}

// Appends the decompressed block to *out.
Status AppendBlock(std::string_view bytes, size_t bytes_max, std::string* out) {
  size_t size = 0;
  if (!snappy::GetUncompressedLength(bytes.data(), bytes.size(), &size)) return SnappyBroken("invalid length");
  if (size > bytes_max) return SnappyTooLarge(bytes_max);
  if (size > bytes.size() * kSnappyRatioMax) return SnappyBroken("length is not possible");
  size_t before = out->size();
  out->resize(before + size);
  if (!snappy::RawUncompress(bytes.data(), bytes.size(), out->data() + before)) return SnappyBroken("invalid block");
  return Status();
}

void AppendChunkHeader(std::string& out, uint8_t type, size_t body, uint32_t crc) {
  size_t length = body + 4;
  const uint8_t header[] = {type,
                            static_cast<uint8_t>(length),
                            static_cast<uint8_t>(length >> 8),
                            static_cast<uint8_t>(length >> 16),
                            static_cast<uint8_t>(crc),
                            static_cast<uint8_t>(crc >> 8),
                            static_cast<uint8_t>(crc >> 16),
                            static_cast<uint8_t>(crc >> 24)};
  out.append(reinterpret_cast<const char*>(header), sizeof(header));
}

// One chunk with data, after its type and length.
Status AppendChunk(uint8_t type, std::string_view body, size_t bytes_max, std::string* out) {
  if (body.size() < 4) return SnappyBroken("chunk is too short");
  uint32_t crc;
  std::memcpy(&crc, body.data(), 4);
  body.remove_prefix(4);
  size_t before = out->size(), room = std::min(bytes_max - before, kBlockMax);
  if (type == kCompressedChunk) {
    size_t size = 0;
    if (!snappy::GetUncompressedLength(body.data(), body.size(), &size)) return SnappyBroken("invalid length");
    if (size > kBlockMax) return SnappyBroken("chunk is too long");
    if (size > room) return SnappyTooLarge(bytes_max);
    GN_TRY(AppendBlock(body, room, out));
  } else {
    if (body.size() > kBlockMax) return SnappyBroken("chunk is too long");
    if (body.size() > room) return SnappyTooLarge(bytes_max);
    out->append(body);
  }
  if (MaskCrc32c(Crc32c(std::string_view(*out).substr(before))) != crc) return SnappyBroken("checksum mismatch");
  return Status();
}

}  // namespace

void SnappyCompress(std::string_view bytes, std::string* out) {
  out->resize(snappy::MaxCompressedLength(bytes.size()));
  size_t size = 0;
  snappy::RawCompress(bytes.data(), bytes.size(), out->data(), &size);
  out->resize(size);
}

std::string SnappyCompress(std::string_view bytes) {
  std::string out;
  SnappyCompress(bytes, &out);
  return out;
}

Status SnappyDecompress(std::string_view bytes, size_t bytes_max, std::string* out) {
  out->clear();
  return AppendBlock(bytes, bytes_max, out);
}

Result<std::string> SnappyDecompress(std::string_view bytes, size_t bytes_max) {
  std::string out;
  GN_TRY(SnappyDecompress(bytes, bytes_max, &out));
  return out;
}

std::string SnappyFramedCompress(std::string_view bytes) {
  std::string out, block;
  if (bytes.empty()) return out;  // golang's Writer writes nothing before its first byte
  out = kStreamHeader;
  while (!bytes.empty()) {
    std::string_view piece = bytes.substr(0, kBlockMax);
    bytes.remove_prefix(piece.size());
    uint32_t crc = MaskCrc32c(Crc32c(piece));
    SnappyCompress(piece, &block);
    bool gains = block.size() < piece.size() - piece.size() / 8;
    std::string_view body = gains ? std::string_view(block) : piece;
    AppendChunkHeader(out, gains ? kCompressedChunk : kPlainChunk, body.size(), crc);
    out.append(body);
  }
  return out;
}

Result<std::string> SnappyFramedDecompress(std::string_view bytes, size_t bytes_max) {
  std::string out;
  if (bytes.empty()) return out;
  if (!bytes.starts_with(kStreamHeader)) return SnappyBroken("stream header is missing");
  while (!bytes.empty()) {
    if (bytes.size() < 4) return SnappyBroken("chunk header is cut off");
    auto byte = [&](size_t i) { return static_cast<uint8_t>(bytes[i]); };
    uint8_t type = byte(0);
    size_t length = byte(1) | static_cast<size_t>(byte(2)) << 8 | static_cast<size_t>(byte(3)) << 16;
    if (bytes.size() - 4 < length) return SnappyBroken("chunk is cut off");
    std::string_view body = bytes.substr(4, length);
    if (type == kCompressedChunk || type == kPlainChunk) {
      GN_TRY(AppendChunk(type, body, bytes_max, &out));
    } else if (type == kHeaderChunk) {
      if (body != kStreamHeader.substr(4)) return SnappyBroken("invalid stream header");
    } else if (type < kSkippableFrom) {
      return Status(Code::kUnsupported, "snappy: reserved chunk type " + std::to_string(type));
    }
    bytes.remove_prefix(4 + length);
  }
  return out;
}

}  // namespace gauntlet::io
