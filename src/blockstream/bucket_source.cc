#include "blockstream/bucket_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/varint.h"
#include "blocks/thanos_meta.h"
#include "io/crc32c.h"
#include "io/path.h"
#include "tsdb/block/tombstones.h"
#include "tsdb/chunks/segment.h"

namespace gauntlet::blockstream {
namespace {

using tsdb::FaultKind;

constexpr uint64_t kEntryBytesMax = 64 << 20, kChunkBytesMax = 256 << 20;  // what is longer is a broken length
constexpr size_t kTombstonesBytesMax = 256 << 20;
constexpr size_t kLocalBytes = 16 << 20, kRemoteBytes = 96 << 20;
constexpr size_t kLengthBytes = 16;  // show the length of an entry or a chunk

Status Corrupt(std::string text) { return {Code::kCorrupt, std::move(text)}; }

}  // namespace

void BucketSourceOptions::Share(const objstore::Bucket& bucket, size_t blocks, size_t bytes_max) {
  size_t bytes = bucket.provider() == "FILESYSTEM" ? kLocalBytes : kRemoteBytes;
  if (bytes_max != 0) bytes = std::min(bytes, bytes_max);
  // A chunk window is read, one is fetched ahead, and series may still look at one before; the same of the index.
  size_t each = bytes / std::max<size_t>(1, blocks) / 4;
  chunk_window_bytes = std::clamp<size_t>(each, 64 << 10, 4 << 20);
  index_window_bytes = std::clamp<size_t>(each / 4, 16 << 10, 1 << 20);
}

BucketBlockSource::BucketBlockSource(objstore::Bucket& bucket, tsdb::BlockMeta meta, const BucketSourceOptions& options)
    : bucket_(bucket), meta_(std::move(meta)), options_(options), dir_(meta_.ulid.ToString()) {}

Result<std::unique_ptr<BucketBlockSource>> BucketBlockSource::Open(objstore::Bucket& bucket, tsdb::BlockMeta meta,
                                                                   const BucketSourceOptions& options,
                                                                   const Cancel& cancel, tsdb::BlockFault* fault) {
  std::unique_ptr<BucketBlockSource> source(new BucketBlockSource(bucket, std::move(meta), options));
  auto blame = [&](FaultKind kind, Status status) {
    status = source->Fail(kind, std::move(status));
    if (fault != nullptr) *fault = source->fault();
    return status;
  };
  if (Status st = source->OpenIndex(cancel); !st.ok()) return blame(FaultKind::kIndex, std::move(st));
  if (Status st = source->OpenSegments(cancel); !st.ok()) return blame(FaultKind::kMissingChunk, std::move(st));
  if (Status st = source->OpenTombstones(cancel); !st.ok()) return blame(FaultKind::kIndex, std::move(st));
  return source;
}

Status BucketBlockSource::OpenIndex(const Cancel& cancel) {
  const std::string object = io::JoinPath(dir_, blocks::kIndexFile);
  GN_ASSIGN(objstore::ObjectAttributes attributes, bucket_.Attributes(object, cancel));
  uint64_t bytes = attributes.bytes;
  if (bytes < tsdb::kIndexHeaderBytes + tsdb::kIndexTocBytes) return Corrupt(fmt::format("index of {} bytes", bytes));
  GN_ASSIGN(std::string front, objstore::ReadRange(bucket_, object, 0, tsdb::kIndexHeaderBytes, cancel));
  GN_ASSIGN(index_version_, tsdb::ReadIndexHeader(front));
  GN_ASSIGN(std::string tail,
            objstore::ReadRange(bucket_, object, bytes - tsdb::kIndexTocBytes, tsdb::kIndexTocBytes, cancel));
  GN_ASSIGN(toc_, tsdb::ReadIndexToc(tail, bytes));
  series_end_ = bytes - tsdb::kIndexTocBytes;
  for (uint64_t section :
       {toc_.symbols, toc_.label_indices, toc_.label_index_table, toc_.postings, toc_.postings_table}) {
    if (section >= toc_.series) series_end_ = std::min(series_end_, section);
  }
  index_ = std::make_unique<ObjectWindow>(bucket_, object, std::max(series_end_, toc_.series),
                                          options_.index_window_bytes, options_.ahead, options_.budget);
  offset_ = toc_.symbols;
  return Status();
}

Status BucketBlockSource::OpenSegments(const Cancel& cancel) {
  std::vector<std::pair<uint64_t, Segment>> numbered;
  GN_TRY(bucket_.Iter(io::JoinPath(dir_, blocks::kChunksDirectory), {.recursive = false, .attributes = true}, cancel,
                      [&](const objstore::ObjectEntry& entry) {
                        std::string_view name = io::BaseName(entry.name);
                        uint64_t number = 0;
                        auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
                        if (error == std::errc() && end == name.data() + name.size()) {
                          numbered.push_back({number, {std::string(entry.name), entry.bytes}});
                        }
                        return Status();
                      }));
  std::sort(numbered.begin(), numbered.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (auto& [number, segment] : numbered) {
    chunk_bytes_ += segment.bytes;
    segments_.push_back(std::move(segment));
  }
  return Status();
}

Status BucketBlockSource::OpenTombstones(const Cancel& cancel) {
  // Uploads of Thanos leave them behind; what is there counts.
  auto bytes = objstore::ReadObject(bucket_, io::JoinPath(dir_, tsdb::kTombstonesFile), cancel, kTombstonesBytesMax);
  if (!bytes.ok()) return bytes.status().code() == Code::kNotFound ? Status() : bytes.status();
  GN_ASSIGN(tombstones_, tsdb::Tombstones::Parse(*bytes));
  return Status();
}

Result<std::string_view> BucketBlockSource::Index(uint64_t offset, size_t n, const Cancel& cancel) {
  return index_->View(offset, n, cancel);
}

Status BucketBlockSource::BeginSymbols(const Cancel& cancel) {
  symbols_begun_ = true;
  GN_ASSIGN(std::string_view bytes, Index(toc_.symbols, 8, cancel));
  ByteReader in(bytes);
  uint32_t length = 0;
  if (!in.Be32(&length) || !in.Be32(&symbols_) || length < 4) return Corrupt("its symbols do not begin");
  symbols_end_ = toc_.symbols + 4 + length;
  // What is ours of the index ends with the series, which come behind the symbols.
  if (symbols_end_ + 4 > index_->end() || symbols_ > length) return Corrupt("its symbols lie outside of it");
  symbols_left_ = symbols_;
  symbols_checksum_ = io::Crc32c(bytes.substr(4, 4));
  offset_ = toc_.symbols + 8;
  return Status();
}

Status BucketBlockSource::EndSymbols(const Cancel& cancel) {
  if (offset_ != symbols_end_) return Corrupt("its symbols have another length than they say");
  GN_ASSIGN(std::string_view bytes, Index(offset_, 4, cancel));
  ByteReader in(bytes);
  uint32_t checksum = 0;
  if (!in.Be32(&checksum) || checksum != symbols_checksum_) return Corrupt("the checksum of its symbols is wrong");
  ++offset_;  // once
  return Status();
}

Result<bool> BucketBlockSource::NextSymbol(const Cancel& cancel, std::string_view* symbol) {
  auto fail = [&](Status status) { return Fail(FaultKind::kIndex, std::move(status)); };
  if (!symbols_begun_) {
    if (Status st = BeginSymbols(cancel); !st.ok()) return fail(std::move(st));
  }
  if (symbols_left_ == 0) {
    if (!series_begun_ && offset_ <= symbols_end_) {
      if (Status st = EndSymbols(cancel); !st.ok()) return fail(std::move(st));
    }
    return false;
  }
  auto bytes = Index(offset_, kLengthBytes, cancel);
  if (!bytes.ok()) return fail(bytes.status());
  uint64_t length = 0;
  ByteReader in(*bytes);
  if (!in.Uvarint(&length)) return fail(Corrupt("the length of a symbol does not parse"));
  auto head = static_cast<size_t>(in.position() - bytes->data());
  if (length > symbols_end_ - std::min(symbols_end_, offset_ + head)) {
    return fail(Corrupt("a symbol lies outside of its section"));
  }
  if (bytes->size() < head + length) {
    bytes = Index(offset_, head + length, cancel);
    if (!bytes.ok()) return fail(bytes.status());
    if (bytes->size() < head + length) return fail(Corrupt("the index ends within its symbols"));
  }
  if (index_version_ == 1) places_.push_back(static_cast<uint32_t>(offset_));
  symbols_checksum_ = io::ExtendCrc32c(symbols_checksum_, bytes->substr(0, head + length));
  *symbol = bytes->substr(head, length);
  offset_ += head + length;
  --symbols_left_;
  return true;
}

Result<std::string_view> BucketBlockSource::Entry(const Cancel& cancel) {
  GN_ASSIGN(std::string_view bytes, Index(offset_, kLengthBytes, cancel));
  uint64_t size = tsdb::SeriesEntryBytes(bytes);
  if (size == 0 || size > kEntryBytesMax || size > series_end_ - offset_) return Corrupt("its length is wrong");
  if (bytes.size() < size) {
    GN_ASSIGN(bytes, Index(offset_, size, cancel));
    if (bytes.size() < size) return Corrupt("the index ends within it");
  }
  return bytes.substr(0, size);
}

Status BucketBlockSource::ReadEntry(std::string_view entry, tsdb::SourceSeries* out) {
  GN_ASSIGN(std::span<const uint32_t> symbols, decoder_.DecodeSymbols(entry, &metas_));
  out->symbols.assign(symbols.begin(), symbols.end());
  for (uint32_t& symbol : out->symbols) {
    if (index_version_ == 1) {
      symbol = static_cast<uint32_t>(std::lower_bound(places_.begin(), places_.end(), symbol) - places_.begin());
    }
    if (symbol < symbols_) continue;
    out->symbols.clear();
    return Corrupt("a symbol is not in the table");
  }
  return Status();
}

Result<bool> BucketBlockSource::Next(const Cancel& cancel, tsdb::SourceSeries* out) {
  out->Clear();
  if (!series_begun_) {
    if (!symbols_begun_) {
      if (Status st = BeginSymbols(cancel); !st.ok()) return Fail(FaultKind::kIndex, std::move(st));
    }
    series_begun_ = true;
    offset_ = toc_.series;
  }
  uint64_t alignment = index_version_ == 1 ? 1 : tsdb::kSeriesAlignment;
  offset_ = (offset_ + alignment - 1) / alignment * alignment;
  if (offset_ >= series_end_) return false;
  auto id = static_cast<uint32_t>(offset_ / alignment);
  auto entry = Entry(cancel);
  Status st = entry.ok() ? ReadEntry(*entry, out) : entry.status();
  if (!st.ok()) return Fail(FaultKind::kIndex, std::move(st.Wrap(fmt::format("series {}", id))));
  offset_ += entry->size();
  if (st = LocateChunks(cancel, out); !st.ok()) {
    out->chunks.clear();
    return Fail(FaultKind::kMissingChunk, std::move(st));
  }
  auto deleted = tombstones_.Of(id);
  out->deleted.assign(deleted.begin(), deleted.end());
  return true;
}

Status BucketBlockSource::OpenSegment(size_t segment, const Cancel& cancel) {
  segment_.reset();
  segment_at_ = SIZE_MAX;
  auto window = std::make_unique<ObjectWindow>(bucket_, segments_[segment].object, segments_[segment].bytes,
                                               options_.chunk_window_bytes, options_.ahead, options_.budget);
  GN_ASSIGN(std::string_view header, window->View(0, tsdb::kSegmentHeaderBytes, cancel));
  GN_TRY(tsdb::CheckSegmentHeader(header).Wrap(segments_[segment].object));
  segment_ = std::move(window);
  segment_at_ = segment;
  return Status();
}

Status BucketBlockSource::LocateChunks(const Cancel& cancel, tsdb::SourceSeries* out) {
  hand_ = {};
  out->chunks.reserve(metas_.size());
  for (const tsdb::ChunkMeta& meta : metas_) {
    tsdb::ChunkPlace place = tsdb::UnpackChunkRef(meta.ref);
    uint64_t size = 0;
    bool here = place.segment == segment_at_ && place.offset >= hand_offset_ &&
                place.offset - hand_offset_ < hand_.size();  // as a rule: chunks of a series lie side by side
    if (here) {
      hand_.remove_prefix(static_cast<size_t>(place.offset - hand_offset_));
      hand_offset_ = place.offset;
      size = tsdb::StoredChunkBytes(hand_);
    }
    if (size == 0 || size > hand_.size()) {
      GN_TRY(Fetch(meta.ref, cancel));
      if (out->owners.empty() || out->owners.back() != segment_->owner()) out->owners.push_back(segment_->owner());
      size = tsdb::StoredChunkBytes(hand_);
    }
    out->chunks.push_back({meta, hand_.substr(0, static_cast<size_t>(size))});
  }
  return Status();
}

Status BucketBlockSource::Fetch(uint64_t ref, const Cancel& cancel) {
  hand_ = {};
  tsdb::ChunkPlace place = tsdb::UnpackChunkRef(ref);
  if (place.segment >= segments_.size()) {
    return Corrupt(fmt::format("chunk {}: segment {} is not there", ref, tsdb::SegmentName(place.segment + 1)));
  }
  if (place.segment != segment_at_) GN_TRY(OpenSegment(place.segment, cancel));
  GN_ASSIGN(std::string_view bytes, segment_->View(place.offset, kLengthBytes, cancel));
  uint64_t size = tsdb::StoredChunkBytes(bytes);
  bool outside = place.offset < tsdb::kSegmentHeaderBytes || bytes.empty();
  if (outside || size == 0 || size > kChunkBytesMax || size > segment_->end() - place.offset) {
    return Corrupt(fmt::format("chunk {} does not lie in {} of {} bytes", ref, segment_->object(), segment_->end()));
  }
  if (bytes.size() < size) {
    GN_ASSIGN(bytes, segment_->View(place.offset, size, cancel));
    if (bytes.size() < size) return Corrupt(fmt::format("chunk {}: {} ends within it", ref, segment_->object()));
  }
  hand_ = bytes;
  hand_offset_ = place.offset;
  return Status();
}

}  // namespace gauntlet::blockstream
