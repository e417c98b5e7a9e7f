// SegmentCheck: whether bytes that pass by are a segment: its header, then stored chunks whose checksums are right.
//
// Format:  docs/format/chunks.md
// Threads: one thread at a time.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace gauntlet::blockstream {

class SegmentCheck {
 public:
  // The next bytes, cut anywhere. kCorrupt where they are not a segment.
  Status Append(std::string_view bytes);
  // After the last of them: kCorrupt within a chunk.
  Status Finish() const;
  uint64_t chunks() const { return chunks_; }

 private:
  // Of the chunk at the front of `bytes`: its size, or 0 when they are too few to tell.
  static Status SizeOf(std::string_view bytes, size_t* size);
  // The header or chunk in carry_, if it is whole.
  Status TakeCarry();
  Status CheckChunk(std::string_view stored);

  bool header_seen_ = false;
  std::string carry_;  // the beginning of a header or chunk, of which the rest is still to come
  uint64_t offset_ = 0, chunks_ = 0;
};

}  // namespace gauntlet::blockstream
