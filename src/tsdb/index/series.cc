#include "tsdb/index/series.h"

#include <limits>

#include "io/crc32c.h"
#include "tsdb/index/toc.h"

namespace gauntlet::tsdb {
namespace {

constexpr size_t kSymbolBytesMax = (1 << 24) - 1;  // of a packed label

Status Malformed(std::string_view what) { return Status(Code::kCorrupt, std::string("series entry: ").append(what)); }

int64_t Plus(int64_t a, uint64_t b) { return static_cast<int64_t>(static_cast<uint64_t>(a) + b); }

// Appends the chunks that overlap the range.
Status ReadChunks(ByteReader in, int64_t mint_ms, int64_t maxt_ms, std::vector<ChunkMeta>* out) {
  uint64_t count = 0;
  if (!in.Uvarint(&count)) return Malformed("no count of chunks");
  ChunkMeta chunk;
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t gap = 0, length = 0, ref = 0;
    int64_t ref_step = 0;
    bool read = i == 0 ? in.Varint(&chunk.mint_ms) && in.Uvarint(&length) && in.Uvarint(&ref)
                       : in.Uvarint(&gap) && in.Uvarint(&length) && in.Varint(&ref_step);
    if (!read) return Malformed("a chunk does not parse");
    if (i > 0) {
      chunk.mint_ms = Plus(chunk.maxt_ms, gap);
      ref = chunk.ref + static_cast<uint64_t>(ref_step);
    }
    chunk.maxt_ms = Plus(chunk.mint_ms, length);
    chunk.ref = ref;
    if (chunk.mint_ms > maxt_ms) break;
    if (chunk.maxt_ms >= mint_ms) out->push_back(chunk);
  }
  return Status();
}

}  // namespace

uint64_t SeriesEntryBytes(std::string_view bytes) {
  ByteReader in(bytes);
  uint64_t length = 0;
  if (!in.Uvarint(&length) || length > std::numeric_limits<uint32_t>::max()) return 0;
  return static_cast<uint64_t>(in.position() - bytes.data()) + length + 4;
}

namespace {

// Writes to memory that is known to suffice.
char* PutUvarint(uint64_t v, char* to) {
  for (; v >= 0x80; v >>= 7) *to++ = static_cast<char>(v | 0x80);
  *to++ = static_cast<char>(v);
  return to;
}

char* PutVarint(int64_t v, char* to) {
  return PutUvarint((static_cast<uint64_t>(v) << 1) ^ static_cast<uint64_t>(v >> 63), to);
}

}  // namespace

void AppendSeriesEntry(std::span<const uint32_t> symbols, std::span<const ChunkMeta> chunks, std::string* out) {
  constexpr size_t kUvarint32 = 5, kUvarint64 = 10;
  std::string entry((symbols.size() + 2) * kUvarint32 + chunks.size() * 3 * kUvarint64, '\0');
  char* to = PutUvarint(symbols.size() / 2, entry.data());
  for (uint32_t ref : symbols) to = PutUvarint(ref, to);
  to = PutUvarint(chunks.size(), to);
  const ChunkMeta* last = nullptr;
  for (const ChunkMeta& chunk : chunks) {
    if (last == nullptr) {
      to = PutVarint(chunk.mint_ms, to);
    } else {
      to = PutUvarint(static_cast<uint64_t>(chunk.mint_ms) - static_cast<uint64_t>(last->maxt_ms), to);
    }
    to = PutUvarint(static_cast<uint64_t>(chunk.maxt_ms) - static_cast<uint64_t>(chunk.mint_ms), to);
    if (last == nullptr) {
      to = PutUvarint(chunk.ref, to);
    } else {
      to = PutVarint(static_cast<int64_t>(chunk.ref - last->ref), to);
    }
    last = &chunk;
  }
  std::string_view written(entry.data(), static_cast<size_t>(to - entry.data()));
  AppendUvarint(*out, written.size());
  out->append(written);
  AppendBe32(out, io::Crc32c(written));
}

Status SeriesDecoder::Open(std::string_view bytes, ByteReader* rest) {
  ByteReader in(bytes);
  std::string_view entry;
  uint32_t checksum = 0;
  if (!in.Prefixed(&entry) || !in.Be32(&checksum)) return Malformed("it ends too early");
  if (io::Crc32c(entry) != checksum) return Malformed("invalid checksum");
  ByteReader labels(entry);
  uint64_t count = 0;
  if (!labels.Uvarint(&count) || count > labels.left()) return Malformed("no count of labels");
  refs_.clear();
  for (uint64_t i = 0; i < 2 * count; ++i) {
    uint64_t ref = 0;
    if (!labels.Uvarint(&ref) || ref > std::numeric_limits<uint32_t>::max()) return Malformed("a label does not parse");
    refs_.push_back(static_cast<uint32_t>(ref));
  }
  *rest = labels;
  return Status();
}

Status SeriesDecoder::PackLabels(std::string* out) {
  std::string_view name, value;
  for (size_t i = 0; i + 1 < refs_.size(); i += 2) {
    if (!Symbol(refs_[i], &name) || !Symbol(refs_[i + 1], &value)) return Malformed("a symbol is not in the table");
    if (name.size() > kSymbolBytesMax || value.size() > kSymbolBytesMax) return Malformed("a label is too long");
    PackLabel(*out, name, value);
  }
  return Status();
}

Status SeriesDecoder::Decode(std::string_view bytes, SeriesEntry* out) {
  out->packed_labels.clear();
  out->chunks.clear();
  ByteReader rest("");
  GN_TRY(Open(bytes, &rest));
  GN_TRY(PackLabels(&out->packed_labels));
  return ReadChunks(rest, std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max(), &out->chunks);
}

Status SeriesDecoder::DecodeOverlapping(std::string_view bytes, int64_t mint_ms, int64_t maxt_ms, SeriesEntry* out) {
  out->packed_labels.clear();
  out->chunks.clear();
  ByteReader rest("");
  GN_TRY(Open(bytes, &rest));
  GN_TRY(ReadChunks(rest, mint_ms, maxt_ms, &out->chunks));
  return out->chunks.empty() ? Status() : PackLabels(&out->packed_labels);
}

Result<std::span<const uint32_t>> SeriesDecoder::DecodeSymbols(std::string_view bytes, std::vector<ChunkMeta>* chunks) {
  chunks->clear();
  ByteReader rest("");
  GN_TRY(Open(bytes, &rest));
  GN_TRY(ReadChunks(rest, std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max(), chunks));
  return std::span<const uint32_t>(refs_);
}

Result<std::span<const uint32_t>> SeriesDecoder::DecodeSymbols(std::string_view bytes) {
  ByteReader rest("");
  GN_TRY(Open(bytes, &rest));
  return std::span<const uint32_t>(refs_);
}

}  // namespace gauntlet::tsdb
