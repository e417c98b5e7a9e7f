// ReplyReader: what a cache server answers, by lines and by counted bytes.
//
// Threads: one thread at a time.

#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace gauntlet::cache {

class ReplyReader {
 public:
  // Gives at least one byte and at most `n`, or an error.
  using Source = std::function<Result<size_t>(char* to, size_t n)>;
  explicit ReplyReader(Source source) : source_(std::move(source)) {}

  // Up to the next line break, without it; valid until the next call. kCorrupt when the line is unreasonably long.
  Result<std::string_view> Line();
  // `n` bytes and the line break that must follow.
  Result<std::string> Counted(size_t n);
  // Bytes that came and were not asked for yet.
  bool holds_input() const { return at_ < buffer_.size(); }

 private:
  Status Fill(size_t wanted);

  const Source source_;
  std::string buffer_;
  size_t at_ = 0;  // read up to here
};

}  // namespace gauntlet::cache
