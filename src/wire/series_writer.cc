#include "wire/series_writer.h"

#include "base/check.h"
#include "wire/fields.h"
#include "wire/label_fields.h"

namespace gauntlet::wire {
namespace {

constexpr size_t kHeaderMax = 1 + 10;  // key and length of the batch in its frame

size_t ChunkBytes(const ChunkView& chunk) {
  return VarintFieldSize(chunk.encoding - 1u) + (chunk.data.empty() ? 0 : BytesSize(chunk.data.size())) +
         VarintFieldSize(chunk.hash);
}

// How many chunks from the first on are one AggrChunk.
size_t Joined(std::span<const ChunkView> chunks) {
  size_t n = 1;
  while (n < chunks.size() && chunks[n].joined) ++n;
  return n;
}

size_t AggrChunkBytes(std::span<const ChunkView> joined) {
  size_t bytes = VarintFieldSize(static_cast<uint64_t>(joined[0].min_time_ms)) +
                 VarintFieldSize(static_cast<uint64_t>(joined[0].max_time_ms));
  for (const ChunkView& chunk : joined) bytes += BytesSize(ChunkBytes(chunk));
  return bytes;
}

size_t AggrChunksBytes(std::span<const ChunkView> chunks) {
  size_t bytes = 0;
  for (; !chunks.empty(); chunks = chunks.subspan(Joined(chunks)))
    bytes += BytesSize(AggrChunkBytes(chunks.first(Joined(chunks))));
  return bytes;
}

void AppendChunk(std::string& out, const ChunkView& chunk) {
  GN_DCHECK(chunk.encoding > 0);
  PutHeader(out, static_cast<uint32_t>(chunk.aggregate) + 3, ChunkBytes(chunk));
  AppendVarintField(out, 1, chunk.encoding - 1u);
  AppendBytes(out, 2, chunk.data);
  AppendVarintField(out, 3, chunk.hash);
}

void AppendAggrChunks(std::string& out, std::span<const ChunkView> chunks) {
  while (!chunks.empty()) {
    std::span<const ChunkView> joined = chunks.first(Joined(chunks));
    PutHeader(out, 2, AggrChunkBytes(joined));
    AppendVarintField(out, 1, static_cast<uint64_t>(joined[0].min_time_ms));
    AppendVarintField(out, 2, static_cast<uint64_t>(joined[0].max_time_ms));
    for (const ChunkView& chunk : joined) AppendChunk(out, chunk);
    chunks = chunks.subspan(joined.size());
  }
}

// For a oneof, which is written also when empty.
void AppendField(std::string& out, uint32_t field, std::string_view bytes) {
  out.reserve(out.size() + BytesSize(bytes.size()));
  PutBytes(out, field, bytes);
}

}  // namespace

void AppendSeriesFrame(std::string& out, LabelsView labels, std::span<const ChunkView> chunks) {
  size_t label_bytes = LabelFieldsSize(labels), bytes = label_bytes + AggrChunksBytes(chunks);
  out.reserve(out.size() + BytesSize(bytes));
  PutHeader(out, 1, bytes);
  AppendLabelFields(out, labels, label_bytes);
  AppendAggrChunks(out, chunks);
}

void AppendEncodedSeriesFrame(std::string& out, std::string_view series) { AppendField(out, 1, series); }
void AppendWarningFrame(std::string& out, std::string_view warning) { AppendField(out, 2, warning); }
void AppendHintsFrame(std::string& out, std::string_view any) { AppendField(out, 3, any); }

void SeriesBatch::Add(LabelsView labels, std::span<const ChunkView> chunks) {
  AppendSeriesFrame(buffer_, labels, chunks);  // a batch has its series in field 1 as well
  ++series_;
}

void SeriesBatch::AddEncoded(std::string_view series) {
  AppendEncodedSeriesFrame(buffer_, series);
  ++series_;
}

std::string_view SeriesBatch::Frame() {
  GN_CHECK(series_ > 0);
  std::string header;
  PutHeader(header, 4, buffer_.size() - kHeaderMax);
  size_t start = kHeaderMax - header.size();
  buffer_.replace(start, header.size(), header);
  return std::string_view(buffer_).substr(start);
}

void SeriesBatch::Clear() {
  buffer_.resize(kHeaderMax);
  series_ = 0;
}

}  // namespace gauntlet::wire
