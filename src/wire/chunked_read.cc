#include "wire/chunked_read.h"

#include <fmt/format.h>

#include <algorithm>

#include "io/crc32c.h"
#include "wire/fields.h"

namespace gauntlet::wire {

ChunkedFrames::Header ChunkedFrames::ParseHeader(std::string_view bytes) {
  ByteReader reader(bytes);
  if (!reader.Uvarint(&frame_bytes_)) return bytes.size() >= 10 ? Header::kMalformed : Header::kShort;
  if (!reader.Be32(&crc_)) return Header::kShort;
  header_bytes_ = bytes.size() - reader.left();
  return Header::kWhole;
}

Result<std::string_view> ChunkedFrames::Check(std::string_view frame) {
  if (io::Crc32c(frame) != crc_)
    return Status(Code::kCorrupt, fmt::format("remote read stream: frame of {} bytes at byte {}: checksum mismatch",
                                              frame.size(), offset_));
  offset_ += header_bytes_ + frame.size();
  return frame;
}

Result<bool> ChunkedFrames::Next(std::string_view* input, std::string_view* frame) {
  if (taken_) {
    pending_.clear();
    taken_ = false;
  }
  bool spread = !pending_.empty();
  // A header that is spread is put together byte by byte.
  Header header = ParseHeader(spread ? std::string_view(pending_) : *input);
  while (spread && header == Header::kShort && !input->empty()) {
    pending_.push_back(input->front());
    input->remove_prefix(1);
    header = ParseHeader(pending_);
  }
  if (header == Header::kMalformed)
    return Status(Code::kCorrupt, fmt::format("remote read stream: malformed frame length at byte {}", offset_));
  if (header == Header::kWhole && frame_bytes_ > frame_bytes_max_)
    return Status(Code::kExhausted, fmt::format("remote read stream: frame of {} bytes at byte {}, the limit is {}",
                                                frame_bytes_, offset_, frame_bytes_max_));
  if (header == Header::kWhole) {
    size_t whole = header_bytes_ + frame_bytes_;
    if (!spread && input->size() >= whole) {
      GN_ASSIGN(*frame, Check(input->substr(header_bytes_, frame_bytes_)));
      input->remove_prefix(whole);
      return true;
    }
    size_t more = std::min(whole - pending_.size(), input->size());
    pending_.append(input->substr(0, more));
    input->remove_prefix(more);
    if (pending_.size() < whole) return false;
    GN_ASSIGN(*frame, Check(std::string_view(pending_).substr(header_bytes_)));
    taken_ = true;
    return true;
  }
  pending_.append(*input);
  *input = {};
  return false;
}

Status ChunkedFrames::Finish() const {
  if (pending_.empty() || taken_) return {};
  return Status(Code::kCorrupt, fmt::format("remote read stream: ends within the frame at byte {}", offset_));
}

void ChunkedSeriesReader::Reset(std::string_view frame) {
  frame_ = rest_ = frame;
  query_index_ = 0;
  FieldReader fields(frame);  // what is malformed shows in Next()
  while (fields.Next())
    if (fields.key() == VarintKey(2)) query_index_ = fields.int64();
}

Result<bool> ChunkedSeriesReader::Next() {
  while (!rest_.empty()) {
    FieldReader fields(rest_);
    const char* at = rest_.data();
    bool parsed = fields.Next();
    bool is_series = parsed && fields.key() == BytesKey(1);
    rest_ = fields.rest();
    if (!parsed || (is_series && !ParseSeries(fields.bytes())))
      return Status(Code::kCorrupt, fmt::format("ChunkedReadResponse of {} bytes: malformed series at byte {}",
                                                frame_.size(), at - frame_.data()));
    if (is_series) return true;
  }
  return false;
}

bool ChunkedSeriesReader::ParseSeries(std::string_view message) {
  fields_.Clear();
  chunks_.clear();
  const char* end = message.data() + message.size();
  const char* p = fields_.TakeRun(message.data(), end, frame_.data() + frame_.size());
  FieldReader fields({p, static_cast<size_t>(end - p)});
  while (fields.Next()) {
    if (fields.key() == BytesKey(1) && !fields_.Take(fields.bytes())) return false;
    if (fields.key() == BytesKey(2) && !ParseChunk(fields.bytes())) return false;
  }
  labels_ = fields_.Finish();
  return fields.ok();
}

bool ChunkedSeriesReader::ParseChunk(std::string_view message) {
  ChunkView& chunk = chunks_.emplace_back();
  chunk.encoding = 0;
  FieldReader fields(message);
  while (fields.Next()) {
    switch (fields.key()) {
      case VarintKey(1):
        chunk.min_time_ms = fields.int64();
        break;
      case VarintKey(2):
        chunk.max_time_ms = fields.int64();
        break;
      case VarintKey(3):
        if (fields.varint() > 255) return false;
        chunk.encoding = static_cast<uint8_t>(fields.varint());
        break;
      case BytesKey(4):
        chunk.data = fields.bytes();
        break;
      default:
        break;
    }
  }
  return fields.ok() && chunk.encoding != 0;
}

void AppendChunkedFrame(std::string& out, std::string_view message) {
  AppendUvarint(out, message.size());
  uint32_t crc = io::Crc32c(message);
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(crc >> shift));
  out.append(message);
}

void AppendChunkedSeries(std::string& message, LabelsView labels, std::span<const ChunkView> chunks) {
  auto chunk_bytes = [](const ChunkView& chunk) {
    return VarintFieldSize(static_cast<uint64_t>(chunk.min_time_ms)) +
           VarintFieldSize(static_cast<uint64_t>(chunk.max_time_ms)) + VarintFieldSize(chunk.encoding) +
           (chunk.data.empty() ? 0 : BytesSize(chunk.data.size()));
  };
  size_t label_bytes = LabelFieldsSize(labels), bytes = label_bytes;
  for (const ChunkView& chunk : chunks) bytes += BytesSize(chunk_bytes(chunk));
  message.reserve(message.size() + BytesSize(bytes));
  PutHeader(message, 1, bytes);
  AppendLabelFields(message, labels, label_bytes);
  for (const ChunkView& chunk : chunks) {
    PutHeader(message, 2, chunk_bytes(chunk));
    AppendVarintField(message, 1, static_cast<uint64_t>(chunk.min_time_ms));
    AppendVarintField(message, 2, static_cast<uint64_t>(chunk.max_time_ms));
    AppendVarintField(message, 3, chunk.encoding);
    AppendBytes(message, 4, chunk.data);
  }
}

void AppendChunkedQueryIndex(std::string& message, int64_t query_index) {
  AppendVarintField(message, 2, static_cast<uint64_t>(query_index));
}

}  // namespace gauntlet::wire
