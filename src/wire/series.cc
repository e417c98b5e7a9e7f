#include "wire/series.h"

#include <fmt/format.h>

#include "wire/fields.h"

namespace gauntlet::wire {

void SeriesReader::Reset(std::string_view frame) {
  frame_ = rest_ = frame;
  batch_ = {};
}

Result<bool> SeriesReader::Next() {
  for (;;) {
    bool in_batch = !batch_.empty();
    std::string_view& from = in_batch ? batch_ : rest_;
    if (from.empty()) return false;
    FieldReader fields(from);
    bool parsed = fields.Next() || Fail(fields.position(), "field");
    bool found = false;
    if (parsed) {
      from = fields.rest();
      item_ = fields.bytes();
      switch (fields.key()) {
        case BytesKey(1):
          found = true;
          kind_ = Kind::kSeries;
          parsed = ParseSeries(item_);
          break;
        case BytesKey(2):
          found = !in_batch;
          kind_ = Kind::kWarning;
          break;
        case BytesKey(3):
          found = !in_batch;
          kind_ = Kind::kHints;
          break;
        case BytesKey(4):
          if (!in_batch) batch_ = item_;
          break;
        default:
          break;  // of a newer contract
      }
    }
    if (!parsed) [[unlikely]]
      return Status(Code::kCorrupt, fmt::format("SeriesResponse of {} bytes: malformed {} at byte {}", frame_.size(),
                                                error_, error_at_ - frame_.data()));
    if (found) return true;
  }
}

bool SeriesReader::ParseSeries(std::string_view message) {
  fields_.Clear();
  chunks_.clear();
  const char* end = message.data() + message.size();
  const char* p = fields_.TakeRun(message.data(), end, frame_.data() + frame_.size());
  FieldReader fields({p, static_cast<size_t>(end - p)});
  while (fields.Next()) {
    if (fields.key() == BytesKey(2)) {
      if (!ParseAggrChunk(fields.bytes())) return false;
    } else if (fields.key() == BytesKey(1)) {
      if (!fields_.Take(fields.bytes())) return Fail(fields.position(), "label");
    }
  }
  if (!fields.ok()) return Fail(fields.position(), "series field");
  labels_ = fields_.Finish();
  return true;
}

// The times may follow the chunks, so they are written to them at the end.
bool SeriesReader::ParseAggrChunk(std::string_view message) {
  size_t first = chunks_.size();
  int64_t min_time = 0, max_time = 0;
  FieldReader fields(message);
  while (fields.Next()) {
    switch (fields.key()) {
      case VarintKey(1):
        min_time = fields.int64();
        break;
      case VarintKey(2):
        max_time = fields.int64();
        break;
      case BytesKey(3):
      case BytesKey(4):
      case BytesKey(5):
      case BytesKey(6):
      case BytesKey(7):
      case BytesKey(8):
        if (!ParseChunk(fields.bytes(), static_cast<Aggregate>((fields.key() >> 3) - 3))) return false;
        break;
      default:
        break;
    }
  }
  if (!fields.ok()) return Fail(fields.position(), "chunk field");
  for (size_t i = first; i < chunks_.size(); ++i) {
    chunks_[i].min_time_ms = min_time;
    chunks_[i].max_time_ms = max_time;
    chunks_[i].joined = i != first;
  }
  return true;
}

bool SeriesReader::ParseChunk(std::string_view message, Aggregate aggregate) {
  ChunkView& chunk = chunks_.emplace_back();
  chunk.aggregate = aggregate;
  FieldReader fields(message);
  while (fields.Next()) {
    switch (fields.key()) {
      case VarintKey(1):
        if (fields.varint() > 254) return Fail(fields.position(), "chunk encoding");
        chunk.encoding = static_cast<uint8_t>(fields.varint() + 1);
        break;
      case BytesKey(2):
        chunk.data = fields.bytes();
        break;
      case VarintKey(3):
        chunk.hash = fields.varint();
        break;
      default:
        break;
    }
  }
  return fields.ok() || Fail(fields.position(), "chunk");
}

}  // namespace gauntlet::wire
