#include "tsdb/index/toc.h"

#include <fmt/format.h>

#include "base/varint.h"
#include "io/crc32c.h"

namespace gauntlet::tsdb {

Result<int> ReadIndexHeader(std::string_view front) {
  ByteReader in(front);
  uint32_t magic = 0;
  uint8_t version = 0;
  if (!in.Be32(&magic) || !in.U8(&version)) {
    return Status(Code::kCorrupt, fmt::format("index header: {} bytes", front.size()));
  }
  if (magic != kIndexMagic) return Status(Code::kCorrupt, fmt::format("invalid magic number {:x}", magic));
  if (version < 1 || version > 3) {
    return Status(Code::kUnsupported, fmt::format("unknown index file version {}", version));
  }
  return version == 1 ? 1 : 2;
}

Result<IndexToc> ReadIndexToc(std::string_view tail, uint64_t file_bytes) {
  if (tail.size() < kIndexTocBytes) {
    return Status(Code::kCorrupt, fmt::format("index of {} bytes has no table of contents", file_bytes));
  }
  tail = tail.substr(tail.size() - kIndexTocBytes);
  ByteReader in(tail);
  IndexToc toc;
  uint32_t checksum = 0;
  for (uint64_t* offset :
       {&toc.symbols, &toc.series, &toc.label_indices, &toc.label_index_table, &toc.postings, &toc.postings_table}) {
    in.Be64(offset);
  }
  in.Be32(&checksum);
  if (io::Crc32c(tail.substr(0, kIndexTocBytes - 4)) != checksum) {
    return Status(Code::kCorrupt, "index table of contents: invalid checksum");
  }
  uint64_t end = file_bytes - kIndexTocBytes;
  if (toc.symbols > end || toc.series > end || toc.postings > end || toc.postings_table > end ||
      toc.symbols > toc.series || toc.postings > toc.postings_table) {
    return Status(Code::kCorrupt, "index table of contents: sections lie outside of the file");
  }
  return toc;
}

void AppendIndexToc(const IndexToc& toc, std::string* out) {
  size_t begin = out->size();
  for (uint64_t offset :
       {toc.symbols, toc.series, toc.label_indices, toc.label_index_table, toc.postings, toc.postings_table}) {
    AppendBe64(out, offset);
  }
  AppendBe32(out, io::Crc32c(std::string_view(*out).substr(begin)));
}

Result<std::string_view> ReadSection(std::string_view bytes) {
  ByteReader in(bytes);
  uint32_t length = 0, checksum = 0;
  std::string_view content;
  if (!in.Be32(&length) || !in.Bytes(length, &content) || !in.Be32(&checksum)) {
    return Status(Code::kCorrupt, fmt::format("section of {} bytes ends behind its {} bytes", length, bytes.size()));
  }
  if (io::Crc32c(content) != checksum) return Status(Code::kCorrupt, "section: invalid checksum");
  return content;
}

}  // namespace gauntlet::tsdb
