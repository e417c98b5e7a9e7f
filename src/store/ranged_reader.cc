#include "store/ranged_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "objstore/directories.h"

namespace gauntlet::store {

ReadHabits LocalHabits() {
  ReadHabits habits;
  habits.gap_max = 16 << 10;
  habits.series_entry_estimate = 2 << 10;
  habits.chunk_estimate = 2 << 10;
  habits.fetch_bytes = 1 << 20;
  habits.concurrency = 1;
  return habits;
}

Status DownloadLimit::Add(uint64_t bytes, std::string_view what) {
  uint64_t used = used_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  if (bytes_max_ == 0 || used <= bytes_max_) return Status();
  return Status(Code::kExhausted, fmt::format("exceeded bytes limit while fetching {}: limit {} violated (got {})",
                                              what, bytes_max_, used));
}

std::string_view RangedBytes::From(uint64_t offset) const {
  auto after = std::upper_bound(pieces_.begin(), pieces_.end(), offset,
                                [](uint64_t at, const Piece& piece) { return at < piece.begin; });
  if (after == pieces_.begin()) return {};
  const Piece& piece = *std::prev(after);
  if (offset >= piece.end) return {};
  return std::string_view(bytes_).substr(piece.at + (offset - piece.begin), piece.end - offset);
}

Status RangedReader::Read(const std::string& object, const std::vector<ByteRange>& ranges, std::string_view what,
                          const Cancel& cancel, RangedBytes* out) const {
  out->pieces_.clear();
  size_t bytes = 0;
  for (const ByteRange& range : ranges) {
    if (out->pieces_.empty() || range.begin > out->pieces_.back().end + habits_.gap_max) {
      out->pieces_.push_back({range.begin, range.end, 0});
    } else {
      out->pieces_.back().end = std::max(out->pieces_.back().end, range.end);
    }
  }
  for (RangedBytes::Piece& piece : out->pieces_) {
    piece.at = bytes;
    bytes += piece.end - piece.begin;
  }
  if (limit_ != nullptr) GN_TRY(limit_->Add(bytes, what));
  out->bytes_.resize(bytes);
  auto read = [&](size_t i, const Cancel& piece_cancel) {
    RangedBytes::Piece& piece = out->pieces_[i];
    return ReadPiece(object, &piece, piece_cancel, out->bytes_.data() + piece.at);
  };
  if (out->pieces_.size() == 1 || habits_.concurrency <= 1) {
    for (size_t i = 0; i < out->pieces_.size(); ++i) GN_TRY(read(i, cancel));
    return Status();
  }
  return objstore::ForEachConcurrently(executor_, out->pieces_.size(), habits_.concurrency, cancel, read);
}

Status RangedReader::ReadPiece(const std::string& object, RangedBytes::Piece* piece, const Cancel& cancel,
                               char* to) const {
  uint64_t wanted = piece->end - piece->begin, got = 0;
  GN_TRY(bucket_
             .GetRange(object, piece->begin, wanted, cancel,
                       [&](std::string_view bytes) {
                         if (bytes.size() > wanted - got)
                           return Status(Code::kInternal, "the bucket gave more of " + object + " than was asked for");
                         std::memcpy(to + got, bytes.data(), bytes.size());
                         got += bytes.size();
                         return Status();
                       })
             .Wrap("read " + object));
  piece->end = piece->begin + got;
  return Status();
}

}  // namespace gauntlet::store
