#include "tsdb/chunks/segment_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "io/path.h"

namespace gauntlet::tsdb {

Result<SegmentReader> SegmentReader::Open(io::FileSystem& files, const std::string& dir) {
  GN_ASSIGN(std::vector<io::FileInfo> list, files.List(dir));
  std::vector<std::pair<uint64_t, std::string>> numbered;
  for (const io::FileInfo& file : list) {
    uint64_t number = 0;
    auto [end, error] = std::from_chars(file.name.data(), file.name.data() + file.name.size(), number);
    if (error == std::errc() && end == file.name.data() + file.name.size()) numbered.emplace_back(number, file.name);
  }
  std::sort(numbered.begin(), numbered.end());
  SegmentReader reader;
  for (const auto& [number, name] : numbered) {
    std::string path = io::JoinPath(dir, name);
    GN_ASSIGN(std::unique_ptr<io::MappedFile> file, files.Map(path));
    if (Status st = CheckSegmentHeader(file->bytes()); !st.ok()) return std::move(st).Wrap(path);
    reader.bytes_ += file->bytes().size();
    reader.segments_.push_back(std::move(file));
  }
  return reader;
}

Result<std::string_view> SegmentReader::From(uint64_t ref) const {
  ChunkPlace place = UnpackChunkRef(ref);
  if (place.segment >= segments_.size()) {
    return Status(Code::kNotFound, fmt::format("chunk {}: segment index {} out of range", ref, place.segment));
  }
  std::string_view bytes = segments_[place.segment]->bytes();
  if (place.offset < kSegmentHeaderBytes || place.offset >= bytes.size()) {
    return Status(Code::kNotFound, fmt::format("chunk {}: offset {} outside of its segment of {} bytes", ref,
                                               place.offset, bytes.size()));
  }
  return bytes.substr(place.offset);
}

Result<ChunkView> SegmentReader::Read(uint64_t ref) const {
  Result<std::string_view> bytes = From(ref);
  if (!bytes.ok()) return Status(Code::kCorrupt, std::string(bytes.status().message()));
  Result<ChunkView> chunk = ReadStoredChunk(*bytes);
  if (!chunk.ok()) {
    ChunkPlace place = UnpackChunkRef(ref);
    return chunk.status().Wrap(
        fmt::format("chunk {} at {} of segment {}", ref, place.offset, SegmentName(place.segment + 1)));
  }
  return chunk;
}

}  // namespace gauntlet::tsdb
