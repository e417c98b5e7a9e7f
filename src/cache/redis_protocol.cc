#include "cache/redis_protocol.h"

#include <charconv>

namespace gauntlet::cache {
namespace {

constexpr int kDepthMax = 8;
constexpr int64_t kItemsMax = 1 << 20;

Status NoReply(std::string_view line) {
  return Status(Code::kCorrupt, "not a reply of redis: " + std::string(line.substr(0, 80)));
}

bool ToNumber(std::string_view text, int64_t* out) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && end == text.data() + text.size();
}

Status ReadReply(ReplyReader& reader, size_t value_bytes_max, int depth, RedisReply* out) {
  GN_ASSIGN(std::string_view line, reader.Line());
  if (line.empty()) return NoReply(line);
  std::string_view rest = line.substr(1);
  switch (line[0]) {
    case '+':
    case '-':
      out->kind = line[0] == '+' ? RedisReply::Kind::kText : RedisReply::Kind::kError;
      out->text = std::string(rest);
      return Status();
    case ':':
      out->kind = RedisReply::Kind::kInteger;
      return ToNumber(rest, &out->integer) ? Status() : NoReply(line);
    case '$': {
      int64_t bytes = 0;
      if (!ToNumber(rest, &bytes) || bytes < -1 || (bytes > 0 && static_cast<uint64_t>(bytes) > value_bytes_max))
        return NoReply(line);
      if (bytes < 0) return Status();
      out->kind = RedisReply::Kind::kText;
      GN_ASSIGN(out->text, reader.Counted(static_cast<size_t>(bytes)));
      return Status();
    }
    case '*': {
      int64_t items = 0;
      if (!ToNumber(rest, &items) || items < -1 || items > kItemsMax || depth >= kDepthMax) return NoReply(line);
      if (items < 0) return Status();
      out->kind = RedisReply::Kind::kArray;
      for (int64_t i = 0; i < items; ++i)
        GN_TRY(ReadReply(reader, value_bytes_max, depth + 1, &out->items.emplace_back()));
      return Status();
    }
    default:
      return NoReply(line);
  }
}

uint16_t Crc16(std::string_view bytes) {
  uint16_t crc = 0;
  for (char c : bytes) {
    crc = static_cast<uint16_t>(crc ^ (static_cast<unsigned char>(c) << 8));
    for (int bit = 0; bit < 8; ++bit) crc = static_cast<uint16_t>((crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1);
  }
  return crc;
}

}  // namespace

Status RedisReply::status() const {
  return kind == Kind::kError ? Status(Code::kUnavailable, "redis says " + text) : Status();
}

void AppendRedisCommand(std::span<const std::string_view> words, std::string* out) {
  out->append("*").append(std::to_string(words.size())).append("\r\n");
  for (std::string_view word : words)
    out->append("$").append(std::to_string(word.size())).append("\r\n").append(word).append("\r\n");
}

void AppendRedisCommand(std::initializer_list<std::string_view> words, std::string* out) {
  AppendRedisCommand(std::span(words.begin(), words.size()), out);
}

Result<RedisReply> ReadRedisReply(ReplyReader& reader, size_t value_bytes_max) {
  RedisReply reply;
  GN_TRY(ReadReply(reader, value_bytes_max, 0, &reply));
  return reply;
}

size_t RedisSlot(std::string_view key) {
  // Of a key with a tag in braces, the tag alone counts.
  size_t open = key.find('{');
  if (open != std::string_view::npos) {
    size_t close = key.find('}', open + 1);
    if (close != std::string_view::npos && close > open + 1) key = key.substr(open + 1, close - open - 1);
  }
  return Crc16(key) % kRedisSlots;
}

}  // namespace gauntlet::cache
