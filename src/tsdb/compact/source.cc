#include "tsdb/compact/source.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace gauntlet::tsdb {

std::string_view FaultName(FaultKind kind) {
  switch (kind) {
    case FaultKind::kNone:
      return "none";
    case FaultKind::kIndex:
      return "broken index";
    case FaultKind::kSeriesOrder:
      return "out-of-order series";
    case FaultKind::kChunkOrder:
      return "out-of-order chunks";
    case FaultKind::kMissingChunk:
      return "missing chunk";
    case FaultKind::kChunk:
      return "broken chunk";
  }
  return "none";
}

void SourceSeries::Clear() {
  symbols.clear();
  chunks.clear();
  deleted.clear();
  owners.clear();
}

Status BlockSource::Fail(FaultKind kind, Status status, std::string series) {
  if (!series.empty()) status.Wrap(fmt::format("series {}", series));
  status.Wrap(fmt::format("block {}", meta().ulid.ToString()));
  if (FaultOf(status, kind) == FaultKind::kNone) kind = FaultKind::kNone;
  fault_ = {kind, meta().ulid, std::move(series)};
  return status;
}

FaultKind FaultOf(const Status& status, FaultKind kind) {
  switch (status.code()) {
    case Code::kCorrupt:
    case Code::kUnsupported:
      return kind;
    case Code::kNotFound:
      return FaultKind::kMissingChunk;
    default:
      return FaultKind::kNone;
  }
}

LocalBlockSource::LocalBlockSource(std::shared_ptr<const Block> block)
    : block_(std::move(block)), symbols_(block_->index().symbols()), decoder_(block_->index().symbols()) {}

Result<bool> LocalBlockSource::NextSymbol(const Cancel& cancel, std::string_view* symbol) {
  GN_TRY(cancel.status());
  if (!symbols_.Next(symbol)) return false;
  if (block_->index().version() == 1) {
    const char* entry = symbol->data() - UvarintSize(symbol->size());
    places_.push_back(static_cast<uint32_t>(entry - block_->index().bytes().data()));
  }
  return true;
}

std::string LocalBlockSource::LabelText() {
  SeriesEntry entry;
  Status decoded = decoder_.Decode(block_->index().SeriesBytes(series_[at_ - 1]), &entry);
  return decoded.ok() ? entry.labels().ToString() : fmt::format("{}", series_[at_ - 1]);
}

Status LocalBlockSource::Locate(uint64_t ref, std::string_view* stored) const {
  GN_ASSIGN(std::string_view bytes, block_->chunks().From(ref));
  uint64_t size = StoredChunkBytes(bytes);
  if (size == 0) return Status(Code::kCorrupt, fmt::format("chunk {}: its length does not parse", ref));
  if (size > bytes.size()) {
    return Status(Code::kNotFound, fmt::format("chunk {} takes {} bytes, its segment has {}", ref, size, bytes.size()));
  }
  *stored = bytes.substr(0, size);
  return Status();
}

Result<bool> LocalBlockSource::Next(const Cancel& cancel, SourceSeries* out) {
  out->Clear();
  if (at_ % 256 == 0) GN_TRY(cancel.status());
  if (!started_) {
    Result<PostingsList> all = block_->index().AllPostings();
    if (!all.ok()) return Fail(FaultKind::kIndex, all.status());
    series_ = *all;
    started_ = true;
  }
  if (at_ >= series_.size()) return false;
  uint32_t id = series_[at_++];
  std::vector<ChunkMeta> metas;
  auto symbols = decoder_.DecodeSymbols(block_->index().SeriesBytes(id), &metas);
  if (!symbols.ok()) return Fail(FaultKind::kIndex, symbols.status(), fmt::format("{}", id));
  out->symbols.assign(symbols->begin(), symbols->end());
  for (uint32_t& symbol : out->symbols) {
    if (!places_.empty()) {
      symbol = static_cast<uint32_t>(std::lower_bound(places_.begin(), places_.end(), symbol) - places_.begin());
    }
    if (symbol >= block_->index().symbols().size()) {
      return Fail(FaultKind::kIndex, Status(Code::kCorrupt, "a symbol is not in the table"), fmt::format("{}", id));
    }
  }
  for (const ChunkMeta& meta : metas) {
    SourceChunk& chunk = out->chunks.emplace_back();
    chunk.meta = meta;
    if (Status st = Locate(meta.ref, &chunk.stored); !st.ok()) {
      FaultKind kind = FaultOf(st, FaultKind::kChunk);
      out->chunks.clear();
      // What misses in a block is damage of it, and not something that was asked for and is not there.
      return Fail(kind, Status(Code::kCorrupt, std::string(st.message())), LabelText());
    }
  }
  auto deleted = block_->tombstones().Of(id);
  out->deleted.assign(deleted.begin(), deleted.end());
  return true;
}

}  // namespace gauntlet::tsdb
