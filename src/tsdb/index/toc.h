// The frame of an index file: its header, its table of contents at the end, and sections with length and checksum.
//
// Format:   docs/format/index.md      Upstream: prometheus tsdb/index/index.go (TOC)
// Threads:  free functions on values.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace gauntlet::tsdb {

inline constexpr uint32_t kIndexMagic = 0xbaaad700;
inline constexpr size_t kIndexHeaderBytes = 5;       // magic and version
inline constexpr size_t kIndexTocBytes = 6 * 8 + 4;  // the last bytes of the file
inline constexpr uint32_t kSeriesAlignment = 16;     // of series in versions above 1, where ids are offset / 16

// Offsets of the sections.
struct IndexToc {
  uint64_t symbols = 0, series = 0, label_indices = 0, label_index_table = 0, postings = 0, postings_table = 0;
};

// The version: 1 or 2 (what upstream calls 3 reads as 2). From the first bytes of the file.
Result<int> ReadIndexHeader(std::string_view front);
// From the last bytes of a file of `file_bytes`, at least kIndexTocBytes of them.
Result<IndexToc> ReadIndexToc(std::string_view tail, uint64_t file_bytes);
void AppendIndexToc(const IndexToc& toc, std::string* out);

// What is between length and checksum of the section at the front of `bytes`; kCorrupt when it does not lie within them
// or its checksum is wrong.
Result<std::string_view> ReadSection(std::string_view bytes);

// Where the entry of series `id` begins.
inline uint64_t SeriesOffset(int index_version, uint32_t id) {
  return index_version == 1 ? id : uint64_t{id} * kSeriesAlignment;
}

inline void AppendBe32(std::string* out, uint32_t v) {
  v = __builtin_bswap32(v);
  out->append(reinterpret_cast<const char*>(&v), sizeof(v));
}
inline void AppendBe64(std::string* out, uint64_t v) {
  v = __builtin_bswap64(v);
  out->append(reinterpret_cast<const char*>(&v), sizeof(v));
}

}  // namespace gauntlet::tsdb
