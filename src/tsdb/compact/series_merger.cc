#include "tsdb/compact/series_merger.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "dedup/chain.h"
#include "dedup/penalty.h"
#include "tsdb/compact/aggregate_merge.h"
#include "tsdb/compact/go_heap.h"
#include "tsdb/compact/sample_encoder.h"

namespace gauntlet::tsdb {
namespace {

// The chunks of a part that are still to come; never empty.
struct Stream {
  const MergeChunk* next;
  const MergeChunk* end;
};
struct StartsBefore {
  bool operator()(const Stream& a, const Stream& b) const {
    if (a.next->mint_ms == b.next->mint_ms) return a.next->maxt_ms < b.next->maxt_ms;
    return a.next->mint_ms < b.next->mint_ms;
  }
};

bool SameChunk(const MergeChunk& a, const MergeChunk& b) {
  return a.mint_ms == b.mint_ms && a.maxt_ms == b.maxt_ms && a.chunk.bytes == b.chunk.bytes;
}

// What a chunk holds, whatever of start times.
int Family(Encoding encoding) {
  switch (encoding) {
    case Encoding::kHistogram:
    case Encoding::kHistogramSt:
      return 1;
    case Encoding::kFloatHistogram:
    case Encoding::kFloatHistogramSt:
      return 2;
    default:
      return 0;
  }
}

}  // namespace

Status SeriesMerger::Merge(std::span<const SourceSeries> parts, std::span<const uint32_t> sources, MergedChunks* out,
                           MergeFault* fault) {
  out->Clear();
  if (FollowEachOther(parts)) return Copy(parts, sources, out, fault);
  parts_.clear();
  GN_TRY(ReadParts(parts, sources, out, fault));
  return MergeParts(out, fault);
}

bool SeriesMerger::FollowEachOther(std::span<const SourceSeries> parts) {
  by_time_.clear();
  for (size_t i = 0; i < parts.size(); ++i) {
    if (!parts[i].deleted.empty()) return false;
    if (!parts[i].chunks.empty()) by_time_.push_back(i);
  }
  std::sort(by_time_.begin(), by_time_.end(), [&parts](size_t a, size_t b) {
    return parts[a].chunks.front().meta.mint_ms < parts[b].chunks.front().meta.mint_ms;
  });
  const ChunkMeta* last = nullptr;
  for (size_t i : by_time_) {
    for (const SourceChunk& chunk : parts[i].chunks) {
      if (chunk.meta.maxt_ms < chunk.meta.mint_ms) return false;
      if (last != nullptr && chunk.meta.mint_ms <= last->maxt_ms) return false;
      last = &chunk.meta;
    }
  }
  return true;
}

Status SeriesMerger::Copy(std::span<const SourceSeries> parts, std::span<const uint32_t> sources, MergedChunks* out,
                          MergeFault* fault) const {
  for (size_t i : by_time_) {
    fault->source = sources[i];
    for (const SourceChunk& chunk : parts[i].chunks) {
      GN_ASSIGN(ChunkView view, ReadChunk(chunk, &fault->kind));
      out->chunks.push_back({chunk.meta.mint_ms, chunk.meta.maxt_ms, view, chunk.stored});
    }
  }
  *fault = {};
  return Status();
}

Status SeriesMerger::ReadParts(std::span<const SourceSeries> parts, std::span<const uint32_t> sources,
                               MergedChunks* out, MergeFault* fault) {
  for (size_t i = 0; i < parts.size(); ++i) {
    Chunks chunks;
    chunks.reserve(parts[i].chunks.size());
    fault->source = sources[i];
    GN_TRY(ReadPart(parts[i], sources[i], &out->made, &chunks, &fault->kind));
    if (InOrder(chunks)) {
      parts_.push_back(std::move(chunks));
    } else if (accept_unordered_) {
      SplitUnordered(std::move(chunks));
    } else {
      fault->kind = FaultKind::kChunkOrder;
      return Status(Code::kCorrupt, "its chunks overlap or are out of order");
    }
  }
  fault->source = 0;
  for (uint32_t part = 0; part < parts_.size(); ++part) {
    for (MergeChunk& chunk : parts_[part]) chunk.part = part;
  }
  return Status();
}

void SeriesMerger::SplitUnordered(Chunks chunks) {
  std::erase_if(chunks, [](const MergeChunk& chunk) { return chunk.maxt_ms < chunk.mint_ms; });
  std::stable_sort(chunks.begin(), chunks.end(),
                   [](const MergeChunk& a, const MergeChunk& b) { return a.mint_ms < b.mint_ms; });
  size_t first = parts_.size();
  for (MergeChunk& chunk : chunks) {
    size_t part = first;
    while (part < parts_.size() && parts_[part].back().maxt_ms >= chunk.mint_ms) ++part;
    if (part == parts_.size()) parts_.emplace_back();
    parts_[part].push_back(chunk);
  }
}

Status SeriesMerger::MergeParts(MergedChunks* out, MergeFault* fault) {
  walk_.Reset();
  GoHeap<Stream, StartsBefore> heap{StartsBefore()};
  for (const Chunks& part : parts_) {
    if (!part.empty()) heap.Push({part.data(), part.data() + part.size()});
  }
  auto take = [&heap] {
    Stream stream = heap.Pop();
    const MergeChunk& chunk = *stream.next++;
    if (stream.next != stream.end) heap.Push(stream);
    return chunk;
  };
  Chunks group;
  std::vector<EncodedChunk> encoded;
  while (!heap.empty()) {
    group.assign(1, take());
    int64_t maxt_ms = group[0].maxt_ms;
    while (!heap.empty() && heap.top().next->mint_ms <= maxt_ms) {
      MergeChunk next = take();
      if (SameChunk(next, group.back())) continue;
      maxt_ms = std::max(maxt_ms, next.maxt_ms);
      group.push_back(next);
    }
    if (group.size() == 1) {
      walk_.Skip(group[0].mint_ms, group[0].maxt_ms, SampleCount(group[0].chunk));
      out->chunks.push_back(group[0]);
      continue;
    }
    encoded.clear();
    GN_TRY(MergeGroup(group, &encoded, fault));
    for (EncodedChunk& chunk : encoded) {
      const EncodedChunk& kept = out->made.emplace_back(std::move(chunk));
      out->chunks.push_back({kept.mint_ms, kept.maxt_ms, kept.view(), {}});
    }
  }
  return Status();
}

Status SeriesMerger::MergeGroup(std::span<const MergeChunk> group, std::vector<EncodedChunk>* out, MergeFault* fault) {
  auto is = [&](Encoding encoding) {
    return std::any_of(group.begin(), group.end(), [&](const MergeChunk& c) { return c.chunk.encoding == encoding; });
  };
  if (is(Encoding::kAggregate)) {
    std::vector<ChunkView> views;
    for (const MergeChunk& chunk : group) views.push_back(chunk.chunk);
    Status st = MergeAggregates(views, kind_ == MergeKind::kChain, out);
    if (!st.ok()) *fault = {FaultKind::kChunk, group[0].source};
    return st;
  }
  merged_.Clear();
  replicas_.clear();
  if (kind_ == MergeKind::kPenalty) {
    GN_TRY(DecodeByPart(group, fault));
    walk_.Merge(replicas_, &merged_);
  } else {
    GN_TRY(DecodeByChunk(group, kind_ == MergeKind::kPenaltyExact, fault));
    if (kind_ == MergeKind::kChain) {
      // Upstream has the first one last.
      std::rotate(replicas_.begin(), replicas_.begin() + 1, replicas_.end());
      dedup::ChainReplicas(replicas_, &merged_);
    } else {
      dedup::MergeWithPenalty(replicas_, false, &merged_);
    }
  }
  // Upstream writes XOR unless it is told otherwise; what was XOR2 stays it here.
  SampleEncoder encoder(is(Encoding::kXor2), SampleEncoder::kSamplesMax, out);
  encoder.Append(merged_);
  encoder.Finish();
  return Status();
}

Samples& SeriesMerger::NewReplica() {
  size_t used = replicas_.size();
  if (used == buffers_.size()) buffers_.push_back(std::make_unique<Samples>());
  buffers_[used]->Clear();
  replicas_.push_back(buffers_[used].get());
  return *buffers_[used];
}

Status SeriesMerger::Decode(const MergeChunk& chunk, Samples* out, MergeFault* fault) {
  size_t base = out->size();
  *fault = {FaultKind::kChunk, chunk.source};
  GN_TRY(DecodeChunk(chunk.chunk, out).Wrap(fmt::format("chunk from {} to {}", chunk.mint_ms, chunk.maxt_ms)));
  if (out->size() > base && (out->times_ms[base] < chunk.mint_ms || out->times_ms.back() > chunk.maxt_ms)) {
    return Status(Code::kCorrupt, fmt::format("chunk from {} to {} has samples from {} to {}", chunk.mint_ms,
                                              chunk.maxt_ms, out->times_ms[base], out->times_ms.back()));
  }
  *fault = {};
  return Status();
}

Status SeriesMerger::DecodeByPart(std::span<const MergeChunk> group, MergeFault* fault) {
  std::vector<uint32_t> of_part;
  for (const MergeChunk& chunk : group) {
    auto known = std::find(of_part.begin(), of_part.end(), chunk.part);
    Samples& samples = known == of_part.end() ? NewReplica() : *replicas_[static_cast<size_t>(known - of_part.begin())];
    if (known == of_part.end()) of_part.push_back(chunk.part);
    GN_TRY(Decode(chunk, &samples, fault));
  }
  return Status();
}

Status SeriesMerger::DecodeByChunk(std::span<const MergeChunk> group, bool alike, MergeFault* fault) {
  for (const MergeChunk& chunk : group) {
    if (alike && Family(chunk.chunk.encoding) != Family(group[0].chunk.encoding)) continue;
    GN_TRY(Decode(chunk, &NewReplica(), fault));
  }
  return Status();
}

}  // namespace gauntlet::tsdb
