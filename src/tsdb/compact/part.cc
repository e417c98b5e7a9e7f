#include "tsdb/compact/part.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "tsdb/block/tombstones.h"
#include "tsdb/compact/sample_encoder.h"

namespace gauntlet::tsdb {

bool DropDeleted(int64_t mint_ms, int64_t maxt_ms, SourceSeries* series) {
  bool front = false, back = false;
  std::erase_if(series->chunks, [&](const SourceChunk& chunk) {
    const ChunkMeta& meta = chunk.meta;
    if (!meta.Overlaps(mint_ms, maxt_ms) || IsDeleted(series->deleted, meta.mint_ms, meta.maxt_ms)) return true;
    front = front || meta.mint_ms < mint_ms;
    back = back || meta.maxt_ms > maxt_ms;
    return false;
  });
  if (front) AddInterval(series->deleted, {std::numeric_limits<int64_t>::min(), mint_ms - 1});
  if (back) AddInterval(series->deleted, {maxt_ms + 1, std::numeric_limits<int64_t>::max()});
  return !series->chunks.empty();
}

namespace {

// The chunk without its deleted samples.
Status EncodeWithout(std::span<const Interval> deleted, const ChunkMeta& meta, ChunkView chunk,
                     std::vector<EncodedChunk>* out) {
  Samples samples;
  GN_TRY(DecodeChunk(chunk, &samples).Wrap(fmt::format("chunk {}", meta.ref)));
  std::vector<Interval> here;
  for (const Interval& interval : deleted) {
    if (meta.Overlaps(interval.mint_ms, interval.maxt_ms)) here.push_back(interval);
  }
  RemoveDeleted(here, 0, &samples);
  EncodeRest(chunk.encoding, samples, out);
  return Status();
}

}  // namespace

Result<ChunkView> ReadChunk(const SourceChunk& chunk, FaultKind* fault) {
  Result<ChunkView> view = chunk.Read();
  if (view.ok()) [[likely]]
    return view;
  *fault = FaultKind::kChunk;
  return view.status().Wrap(fmt::format("chunk {}", chunk.meta.ref));
}

Status ReadPart(const SourceSeries& series, uint32_t source, std::deque<EncodedChunk>* made,
                std::vector<MergeChunk>* out, FaultKind* fault) {
  std::vector<EncodedChunk> rest;
  for (const SourceChunk& chunk : series.chunks) {
    const ChunkMeta& meta = chunk.meta;
    GN_ASSIGN(ChunkView view, ReadChunk(chunk, fault));
    bool cut = std::any_of(series.deleted.begin(), series.deleted.end(),
                           [&](const Interval& i) { return meta.Overlaps(i.mint_ms, i.maxt_ms); });
    if (!cut) {
      out->push_back({{meta.mint_ms, meta.maxt_ms, view, chunk.stored}, source, 0});
      continue;
    }
    rest.clear();
    if (Status st = EncodeWithout(series.deleted, meta, view, &rest); !st.ok()) {
      *fault = FaultKind::kChunk;
      return st;
    }
    for (EncodedChunk& encoded : rest) {
      const EncodedChunk& kept = made->emplace_back(std::move(encoded));
      out->push_back({{kept.mint_ms, kept.maxt_ms, kept.view(), {}}, source, 0});
    }
  }
  return Status();
}

bool InOrder(std::span<const MergeChunk> chunks) {
  for (size_t i = 0; i < chunks.size(); ++i) {
    if (chunks[i].maxt_ms < chunks[i].mint_ms || (i > 0 && chunks[i].mint_ms <= chunks[i - 1].maxt_ms)) return false;
  }
  return true;
}

}  // namespace gauntlet::tsdb
