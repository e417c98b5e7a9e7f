// OutputQueue: bytes on their way to a socket, in the strings in which they came, so that large ones are never copied.
//
// Threads: one thread at a time.

#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <deque>
#include <string>
#include <utility>

namespace gauntlet::net {

class OutputQueue {
 public:
  void Append(std::string piece) {
    if (piece.empty()) return;
    bytes_ += piece.size();
    if (piece.size() <= kSmall && !pieces_.empty() &&
        pieces_.back().capacity() - pieces_.back().size() >= piece.size()) {
      pieces_.back() += piece;
    } else {
      pieces_.push_back(std::move(piece));
    }
  }
  size_t bytes() const { return bytes_; }
  bool empty() const { return bytes_ == 0; }

  // The first pieces, at most `max`; returns how many. Valid until the next change.
  size_t Gather(iovec* out, size_t max) const {
    size_t count = 0;
    for (auto piece = pieces_.begin(); piece != pieces_.end() && count < max; ++piece, ++count) {
      const size_t skip = count == 0 ? sent_ : 0;
      out[count] = {const_cast<char*>(piece->data()) + skip, piece->size() - skip};
    }
    return count;
  }
  // The first `bytes` have gone.
  void Drop(size_t bytes) {
    bytes_ -= bytes;
    sent_ += bytes;
    while (!pieces_.empty() && sent_ >= pieces_.front().size()) {
      sent_ -= pieces_.front().size();
      pieces_.pop_front();
    }
  }

 private:
  static constexpr size_t kSmall = 1024;  // cheaper to copy than to send as a piece of its own
  std::deque<std::string> pieces_;
  size_t sent_ = 0;   // of the first piece
  size_t bytes_ = 0;  // not sent
};

}  // namespace gauntlet::net
