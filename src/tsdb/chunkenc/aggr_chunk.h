// The aggregate chunk of downsampled blocks: up to five chunks over the same windows of time, one per aggregate.
//
// Format:  for count, sum, min, max, counter: uvarint length of the data, 0 if absent; else the encoding byte, the
// data. Upstream: thanos pkg/compact/downsample/aggr.go (which cannot read a chunk that ends in an absent counter; we
// can)

#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "tsdb/chunkenc/chunk.h"

namespace gauntlet::tsdb {

enum class Aggregate : uint8_t { kCount, kSum, kMin, kMax, kCounter };

inline constexpr size_t kAggregates = 5;

// "count", "sum", ..
std::string_view AggregateName(Aggregate aggregate);

// The parts of an aggregate chunk, by Aggregate; Encoding::kNone where absent. Borrows the bytes.
struct AggrChunkView {
  std::array<ChunkView, kAggregates> parts;

  ChunkView operator[](Aggregate a) const { return parts[static_cast<size_t>(a)]; }
  bool operator==(const AggrChunkView&) const = default;
  bool has(Aggregate a) const { return (*this)[a].encoding != Encoding::kNone; }
};

// A chunk of a series as stores hand it over: raw samples or aggregates of them. Borrows the bytes.
struct SeriesChunk {
  int64_t mint_ms = 0, maxt_ms = 0;
  ChunkView raw;  // Encoding::kNone where absent
  AggrChunkView aggregates;

  bool has_raw() const { return raw.encoding != Encoding::kNone; }
  bool operator==(const SeriesChunk&) const = default;
};

// kCorrupt when the bytes do not split. The parts are not decoded.
Result<AggrChunkView> ParseAggrChunk(std::string_view bytes);
std::string EncodeAggrChunk(const AggrChunkView& parts);

}  // namespace gauntlet::tsdb
