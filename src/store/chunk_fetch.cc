#include "store/chunk_fetch.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "storeapi/portable.h"
#include "tsdb/chunkenc/aggr_chunk.h"
#include "tsdb/chunks/segment.h"

namespace gauntlet::store {
namespace {

constexpr uint64_t kStoredChunkBytesMax = 64 << 20;

std::vector<wire::Aggregate> Ordered(std::vector<wire::Aggregate> aggregates) {
  std::erase(aggregates, wire::Aggregate::kRaw);
  std::sort(aggregates.begin(), aggregates.end());
  aggregates.erase(std::unique(aggregates.begin(), aggregates.end()), aggregates.end());
  return aggregates;
}

wire::ChunkView ViewOf(const tsdb::ChunkMeta& meta, tsdb::ChunkView chunk, wire::Aggregate aggregate) {
  wire::ChunkView view;
  view.min_time_ms = meta.mint_ms;
  view.max_time_ms = meta.maxt_ms;
  view.data = chunk.bytes;
  view.hash = XxHash64(chunk.bytes);
  view.encoding = static_cast<uint8_t>(chunk.encoding);
  view.aggregate = aggregate;
  return view;
}

}  // namespace

// What a batch points into, and what it costs.
struct ChunkFetch::Fetched {
  explicit Fetched(std::shared_ptr<MemoryBudget> of_call)
      : memory(std::move(of_call)), charge(memory.get(), "chunks of a block") {}
  const std::shared_ptr<MemoryBudget> memory;
  std::vector<std::unique_ptr<RangedBytes>> bytes;
  MemoryCharge charge;
};

ChunkFetch::ChunkFetch(const BucketBlock& block, std::shared_ptr<BlockRequest> request, const Cancel& cancel)
    : block_(block),
      request_(std::move(request)),
      cancel_(cancel),
      reader_(*block.environment().bucket, *block.environment().executor, block.environment().habits,
              &request_->download),
      aggregates_(Ordered(request_->series.aggregates)) {}

Result<storeapi::SeriesBatchPtr> ChunkFetch::Fetch(std::span<const SelectedSeries> series) {
  places_.clear();
  size_t labels_bytes = 0;
  for (const SelectedSeries& one : series) {
    labels_bytes += one.labels.packed().size();
    for (const tsdb::ChunkMeta& chunk : one.chunks) {
      tsdb::ChunkPlace place = tsdb::UnpackChunkRef(chunk.ref);
      places_.push_back({place.segment, place.offset, static_cast<uint32_t>(places_.size())});
    }
  }
  auto fetched = std::make_shared<Fetched>(request_->memory);
  std::vector<std::string_view> stored(places_.size());
  GN_TRY(ReadSegments(fetched.get(), &stored));

  auto batch = std::make_shared<storeapi::SeriesBatch>();
  batch->Reserve(series.size(), labels_bytes);
  std::vector<wire::ChunkView> views;
  size_t next = 0;
  for (const SelectedSeries& one : series) {
    views.clear();
    for (const tsdb::ChunkMeta& chunk : one.chunks) GN_TRY(AppendViews(chunk, stored[next++], &views));
    batch->Add(one.labels, views);
  }
  size_t bytes = fetched->charge.bytes();
  GN_TRY(fetched->charge.Grow(batch->memory_bytes()));
  for (auto* n : {&request_->chunks.touched, &request_->chunks.fetched})
    n->fetch_add(places_.size(), std::memory_order_relaxed);
  for (auto* n : {&request_->chunks.touched_bytes, &request_->chunks.fetched_bytes})
    n->fetch_add(bytes, std::memory_order_relaxed);
  batch->KeepAlive(std::move(fetched), bytes);
  return storeapi::MakePortable(batch);
}

Status ChunkFetch::ReadSegments(Fetched* fetched, std::vector<std::string_view>* stored) {
  auto in_order = [](const Place& a, const Place& b) {
    return a.segment != b.segment ? a.segment < b.segment : a.offset < b.offset;
  };
  if (!std::is_sorted(places_.begin(), places_.end(), in_order)) std::sort(places_.begin(), places_.end(), in_order);
  uint64_t estimate = block_.environment().habits.chunk_estimate;
  std::vector<ByteRange> ranges;
  for (size_t begin = 0, end; begin < places_.size(); begin = end) {
    uint32_t segment = places_[begin].segment;
    ranges.clear();
    uint64_t bytes = 0;
    for (end = begin; end < places_.size() && places_[end].segment == segment; ++end) {
      uint64_t at = places_[end].offset, until = at + estimate;
      if (end + 1 < places_.size() && places_[end + 1].segment == segment && places_[end + 1].offset != at) {
        until = std::min<uint64_t>(until, places_[end + 1].offset);
      }
      ranges.push_back({at, until});
      bytes += until - at;
    }
    GN_TRY(fetched->charge.Grow(bytes));
    auto& pieces = *fetched->bytes.emplace_back(std::make_unique<RangedBytes>());
    {
      ReadMetrics* metrics = block_.environment().metrics;
      FetchTimer timer(metrics == nullptr ? nullptr : &metrics->chunks_seconds);
      GN_ASSIGN(std::string object, block_.SegmentObject(segment, cancel_));
      GN_TRY(reader_.Read(object, ranges, "chunks", cancel_, &pieces));
    }
    if (pieces.memory_bytes() > bytes) GN_TRY(fetched->charge.Grow(pieces.memory_bytes() - bytes));
    for (size_t i = begin; i < end; ++i) {
      std::string_view chunk = pieces.From(places_[i].offset);
      uint64_t size = tsdb::StoredChunkBytes(chunk);
      if (size == 0 || size > chunk.size()) GN_TRY(ReadLonger(segment, places_[i].offset, fetched, &chunk));
      (*stored)[places_[i].number] = chunk;
    }
  }
  return Status();
}

// Chunks that are longer than was thought.
Status ChunkFetch::ReadLonger(uint32_t segment, uint64_t offset, Fetched* fetched, std::string_view* stored) {
  GN_ASSIGN(std::string object, block_.SegmentObject(segment, cancel_));
  uint64_t size = tsdb::StoredChunkBytes(*stored);
  if (size == 0 || size > kStoredChunkBytesMax) {
    return Status(Code::kCorrupt, fmt::format("no chunk at byte {} of {}", offset, object));
  }
  if (block_.environment().metrics != nullptr) block_.environment().metrics->chunk_refetches.Add();
  GN_TRY(fetched->charge.Grow(size));
  auto& bytes = *fetched->bytes.emplace_back(std::make_unique<RangedBytes>());
  GN_TRY(reader_.Read(object, {{offset, offset + size}}, "chunks", cancel_, &bytes));
  *stored = bytes.From(offset);
  return Status();
}

Status ChunkFetch::AppendViews(const tsdb::ChunkMeta& meta, std::string_view stored,
                               std::vector<wire::ChunkView>* views) const {
  auto at = [&] {
    tsdb::ChunkPlace place = tsdb::UnpackChunkRef(meta.ref);
    Result<std::string> object = block_.SegmentObject(place.segment, cancel_);
    return fmt::format("chunk at byte {} of {}", place.offset, object.ok() ? *object : block_.id());
  };
  Result<tsdb::ChunkView> chunk = tsdb::ReadStoredChunk(stored);
  if (!chunk.ok()) return chunk.status().Wrap(at());
  if (chunk->encoding != tsdb::Encoding::kAggregate) {
    views->push_back(ViewOf(meta, *chunk, wire::Aggregate::kRaw));
    return Status();
  }
  Result<tsdb::AggrChunkView> parts = tsdb::ParseAggrChunk(chunk->bytes);
  if (!parts.ok()) return parts.status().Wrap(at());
  bool joined = false;
  for (wire::Aggregate aggregate : aggregates_) {
    auto which = static_cast<tsdb::Aggregate>(static_cast<uint8_t>(aggregate) - 1);
    if (!parts->has(which)) {
      bool extreme = which == tsdb::Aggregate::kMin || which == tsdb::Aggregate::kMax;
      // Histograms have none.
      if (extreme && IsHistogramEncoding((*parts)[tsdb::Aggregate::kSum].encoding)) continue;
      return Status(Code::kUnsupported,
                    fmt::format("aggregate {} does not exist in {}", tsdb::AggregateName(which), at()));
    }
    wire::ChunkView view = ViewOf(meta, (*parts)[which], aggregate);
    view.joined = std::exchange(joined, true);
    views->push_back(view);
  }
  return Status();
}

}  // namespace gauntlet::store
