#include "blockstream/segment_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "tsdb/chunks/segment.h"

namespace gauntlet::blockstream {
namespace {

constexpr size_t kLengthBytesMax = 5;

}  // namespace

Status SegmentCheck::SizeOf(std::string_view bytes, size_t* size) {
  *size = static_cast<size_t>(tsdb::StoredChunkBytes(bytes));
  if (*size == 0 && bytes.size() >= kLengthBytesMax) return {Code::kCorrupt, "the length of a chunk does not parse"};
  return Status();
}

Status SegmentCheck::CheckChunk(std::string_view stored) {
  Status status = tsdb::ReadStoredChunk(stored).status();
  if (!status.ok()) return status.Wrap(fmt::format("chunk at {}", offset_));
  offset_ += stored.size();
  ++chunks_;
  return Status();
}

Status SegmentCheck::Append(std::string_view bytes) {
  while (!bytes.empty()) {
    if (header_seen_ && carry_.empty()) {
      // As a rule: chunks that are whole.
      size_t size = 0;
      GN_TRY(SizeOf(bytes, &size));
      if (size != 0 && size <= bytes.size()) {
        GN_TRY(CheckChunk(bytes.substr(0, size)));
        bytes.remove_prefix(size);
        continue;
      }
    }
    size_t wanted = tsdb::kSegmentHeaderBytes;
    if (header_seen_) {
      GN_TRY(SizeOf(carry_, &wanted));
      if (wanted == 0) wanted = carry_.size() + 1;
    }
    const size_t take = std::min(bytes.size(), wanted - carry_.size());
    carry_.append(bytes.substr(0, take));
    bytes.remove_prefix(take);
    GN_TRY(TakeCarry());
  }
  return Status();
}

Status SegmentCheck::TakeCarry() {
  if (!header_seen_) {
    if (carry_.size() < tsdb::kSegmentHeaderBytes) return Status();
    GN_TRY(tsdb::CheckSegmentHeader(carry_));
    header_seen_ = true;
    offset_ = carry_.size();
    carry_.clear();
    return Status();
  }
  size_t size = 0;
  GN_TRY(SizeOf(carry_, &size));
  if (size == 0 || size > carry_.size()) return Status();
  GN_TRY(CheckChunk(carry_));
  carry_.clear();
  return Status();
}

Status SegmentCheck::Finish() const {
  if (header_seen_ && carry_.empty()) return Status();
  return {Code::kCorrupt, fmt::format("the segment ends within what begins at {}", offset_)};
}

}  // namespace gauntlet::blockstream
