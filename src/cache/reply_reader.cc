#include "cache/reply_reader.h"

#include <algorithm>

namespace gauntlet::cache {
namespace {

constexpr size_t kReadBytes = 16 << 10;
constexpr size_t kReadBytesMax = 1 << 20;  // grown to as they come, not as they are announced
constexpr size_t kLineMax = 64 << 10;

}  // namespace

// Reads more to the buffer's end, with room for up to `wanted` bytes.
Status ReplyReader::Fill(size_t wanted) {
  if (at_ == buffer_.size()) {
    buffer_.clear();
    at_ = 0;
  }
  size_t held = buffer_.size();
  buffer_.resize(held + std::clamp(wanted, kReadBytes, kReadBytesMax));
  Result<size_t> got = source_(buffer_.data() + held, buffer_.size() - held);
  buffer_.resize(held + (got.ok() ? *got : 0));
  return got.status();
}

Result<std::string_view> ReplyReader::Line() {
  size_t searched = at_;
  while (true) {
    size_t end = buffer_.find('\n', searched);
    if (end != std::string::npos) {
      std::string_view line = std::string_view(buffer_).substr(at_, end - at_);
      if (line.ends_with('\r')) line.remove_suffix(1);
      at_ = end + 1;
      return line;
    }
    if (buffer_.size() - at_ > kLineMax) return Status(Code::kCorrupt, "a line of a reply does not end");
    size_t held = buffer_.size() - at_;
    GN_TRY(Fill(kReadBytes));
    searched = at_ + held;
  }
}

Result<std::string> ReplyReader::Counted(size_t n) {
  std::string bytes = buffer_.substr(at_, std::min(n, buffer_.size() - at_));
  at_ += bytes.size();
  while (bytes.size() < n) {
    GN_TRY(Fill(n - bytes.size()));
    size_t part = std::min(n - bytes.size(), buffer_.size() - at_);
    bytes.append(buffer_, at_, part);
    at_ += part;
  }
  while (buffer_.size() - at_ < 2) GN_TRY(Fill(kReadBytes));
  if (buffer_.compare(at_, 2, "\r\n") != 0) return Status(Code::kCorrupt, "a value of a reply is longer than it says");
  at_ += 2;
  return bytes;
}

}  // namespace gauntlet::cache
