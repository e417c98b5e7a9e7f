// SegmentOf: the bytes of a segment file with chunks of many sizes. Test code only.

#pragma once

#include <string>

#include "tsdb/chunks/segment.h"

namespace gauntlet::blockstream {

// A segment of so many chunks, about three megabytes per 10,000.
inline std::string SegmentOf(int chunks) {
  std::string segment("\x85\xbd\x40\xdd\x01\0\0\0", tsdb::kSegmentHeaderBytes);
  for (int i = 0; i < chunks; ++i) {
    std::string bytes(static_cast<size_t>(1 + i * 37 % 600), static_cast<char>('a' + i % 26));
    tsdb::AppendStoredChunk({tsdb::Encoding::kXor, bytes}, &segment);
  }
  return segment;
}

}  // namespace gauntlet::blockstream
