// Layout: magic, version 1, version of the index, u64 where its postings table begins; symbols up to series, and
// postings table up to the end, as they stand in the index; u64 u64 where these two begin here, u32 checksum of these
// offsets.
#include "blocks/index_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/varint.h"
#include "io/crc32c.h"
#include "io/path.h"
#include "tsdb/index/toc.h"

namespace gauntlet::blocks {
namespace {

using tsdb::AppendBe32;
using tsdb::AppendBe64;
using tsdb::IndexToc;

constexpr uint32_t kMagic = 0xbaaad792;
constexpr uint8_t kVersion = 1;
constexpr size_t kHeaderBytes = 14, kTocBytes = 8 + 8 + 4;
constexpr uint64_t kPieceBytes = 8 << 20;

Status Malformed(std::string_view what) { return Status(Code::kCorrupt, fmt::format("index header: {}", what)); }

Status Copy(uint64_t begin, uint64_t end, const ReadRange& read, io::WritableFile& out) {
  while (begin < end) {
    uint64_t n = std::min(end - begin, kPieceBytes);
    GN_ASSIGN(std::string piece, read(begin, n));
    if (piece.size() != n) return Malformed(fmt::format("asked {} bytes of the index, got {}", n, piece.size()));
    GN_TRY(out.Append(piece));
    begin += n;
  }
  return Status();
}

Status WriteParts(uint64_t index_bytes, const ReadRange& read, io::WritableFile& out) {
  if (index_bytes < tsdb::kIndexHeaderBytes + tsdb::kIndexTocBytes) {
    return Malformed(fmt::format("an index of {} bytes", index_bytes));
  }
  GN_ASSIGN(std::string front, read(0, tsdb::kIndexHeaderBytes));
  GN_TRY(tsdb::ReadIndexHeader(front).status());
  GN_ASSIGN(std::string tail, read(index_bytes - tsdb::kIndexTocBytes, tsdb::kIndexTocBytes));
  GN_ASSIGN(IndexToc toc, tsdb::ReadIndexToc(tail, index_bytes));
  std::string header;
  AppendBe32(&header, kMagic);
  header.push_back(static_cast<char>(kVersion));
  header.push_back(front[4]);
  AppendBe64(&header, toc.postings_table);
  GN_TRY(out.Append(header));
  GN_TRY(Copy(toc.symbols, toc.series, read, out));
  GN_TRY(Copy(toc.postings_table, index_bytes, read, out));
  std::string own_toc;
  AppendBe64(&own_toc, kHeaderBytes);
  AppendBe64(&own_toc, kHeaderBytes + toc.series - toc.symbols);
  AppendBe32(&own_toc, io::Crc32c(own_toc));
  GN_TRY(out.Append(own_toc));
  return out.Sync();
}

}  // namespace

Status WriteIndexHeader(uint64_t index_bytes, const ReadRange& read, io::FileSystem& files, const std::string& path) {
  std::string temporary = path + ".tmp";
  Status st;
  {
    GN_ASSIGN(std::unique_ptr<io::WritableFile> out, files.Create(temporary));
    st = WriteParts(index_bytes, read, *out);
  }
  if (st.ok()) st = files.Rename(temporary, path);
  if (!st.ok()) {
    (void)files.RemoveFile(temporary).ok();
    return std::move(st).Wrap(fmt::format("write {}", path));
  }
  return files.SyncDirectory(std::string(io::DirName(path)));
}

Result<std::string> MakeIndexHeader(uint64_t index_bytes, const ReadRange& read) {
  io::WritableString out;
  GN_TRY(WriteParts(index_bytes, read, out));
  return std::move(out).Release();
}

Result<std::unique_ptr<IndexHeader>> IndexHeader::Open(io::FileSystem& files, const std::string& path) {
  GN_ASSIGN(std::unique_ptr<io::MappedFile> file, files.Map(path));
  auto header = FromFile(std::move(file));
  if (!header.ok()) return header.status().Wrap(path);
  return header;
}

Result<std::unique_ptr<IndexHeader>> IndexHeader::FromFile(std::unique_ptr<io::MappedFile> file) {
  std::string_view bytes = file->bytes();
  if (bytes.size() < kHeaderBytes + tsdb::kIndexTocBytes + kTocBytes) {
    return Malformed(fmt::format("the file has {} bytes", bytes.size()));
  }
  ByteReader in(bytes), own(bytes.substr(bytes.size() - kTocBytes));
  uint32_t magic = 0, checksum = 0;
  uint8_t version = 0, index_version = 0;
  uint64_t lists_end = 0, symbols_at = 0, table_at = 0;
  in.Be32(&magic);
  in.U8(&version);
  in.U8(&index_version);
  in.Be64(&lists_end);
  own.Be64(&symbols_at);
  own.Be64(&table_at);
  own.Be32(&checksum);
  if (magic != kMagic) return Malformed(fmt::format("invalid magic number {:x}", magic));
  if (version != kVersion) {
    return Status(Code::kUnsupported, fmt::format("index header: unknown index header file version {}", version));
  }
  if (index_version < 1 || index_version > 3) {
    return Status(Code::kUnsupported, fmt::format("unknown index file version {}", index_version));
  }
  size_t end = bytes.size() - kTocBytes;
  if (io::Crc32c(bytes.substr(end, 16)) != checksum) return Malformed("invalid checksum of its table of contents");
  if (symbols_at > end || table_at > end) return Malformed("sections lie outside of the file");
  // The index's own table of contents, which ends the copied part, says where its symbols were, and checks lists_end.
  GN_ASSIGN(IndexToc toc, tsdb::ReadIndexToc(bytes.substr(0, end), UINT64_MAX));
  if (toc.postings_table != lists_end) return Malformed("it is not the header of its index");
  Result<std::string_view> symbols = tsdb::ReadSection(bytes.substr(symbols_at, end - symbols_at));
  if (!symbols.ok()) return symbols.status().Wrap("index header: read symbols");
  Result<std::string_view> table = tsdb::ReadSection(bytes.substr(table_at, end - table_at));
  if (!table.ok()) return table.status().Wrap("index header: read postings table");
  std::unique_ptr<IndexHeader> header(new IndexHeader());
  header->index_version_ = index_version == 1 ? 1 : 2;
  GN_ASSIGN(header->symbols_, tsdb::SymbolTable::Parse(*symbols, header->index_version_, toc.symbols + 4));
  GN_ASSIGN(header->table_, tsdb::PostingsTable::Parse(*table, header->index_version_, lists_end));
  header->file_ = std::move(file);
  return header;
}

}  // namespace gauntlet::blocks
