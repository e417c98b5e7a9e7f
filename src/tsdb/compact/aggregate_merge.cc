#include "tsdb/compact/aggregate_merge.h"

#include <algorithm>
#include <array>

#include "dedup/chain.h"
#include "dedup/penalty.h"
#include "tsdb/chunkenc/aggr_chunk.h"
#include "tsdb/chunkenc/xor.h"
#include "tsdb/compact/sample_encoder.h"

namespace gauntlet::tsdb {
namespace {

// A counter's chunk ends with its last time once more, for the raw value. Merged chunks get theirs when they are cut.
void DropRepeated(Samples* samples) {
  while (samples->size() > 1 && samples->times_ms[samples->size() - 1] == samples->times_ms[samples->size() - 2]) {
    samples->times_ms.pop_back();
    samples->values.pop_back();
  }
}

Status MergeOne(std::span<const AggrChunkView> group, Aggregate aggregate, bool chain, Samples* out) {
  std::vector<Samples> decoded;
  decoded.reserve(group.size());
  auto decode = [&](const AggrChunkView& chunk) {
    if (!chunk.has(aggregate)) return Status();
    if (!IsFloatEncoding(chunk[aggregate].encoding)) {
      return Status(Code::kUnsupported, "downsampled histograms overlap");
    }
    GN_TRY(DecodeChunk(chunk[aggregate], &decoded.emplace_back()));
    DropRepeated(&decoded.back());
    return Status();
  };
  // The first chunk of the group comes last, as upstream takes them.
  for (const AggrChunkView& chunk : group.subspan(1)) GN_TRY(decode(chunk));
  GN_TRY(decode(group[0]));
  std::vector<const Samples*> replicas;
  for (const Samples& samples : decoded) replicas.push_back(&samples);
  if (chain) {
    dedup::ChainReplicas(replicas, out);
  } else {
    dedup::MergeWithPenalty(replicas, false, out);
  }
  return Status();
}

std::string EncodeSlice(const Samples& samples, int64_t mint_ms, int64_t maxt_ms, bool counter) {
  XorAppender appender;
  const auto& times = samples.times_ms;
  size_t i = static_cast<size_t>(std::lower_bound(times.begin(), times.end(), mint_ms) - times.begin());
  size_t begin = i;
  for (; i < times.size() && times[i] <= maxt_ms; ++i) appender.Append(times[i], samples.values[i]);
  if (i == begin) return "";
  if (counter) appender.Append(times[i - 1], samples.values[i - 1]);
  return appender.Release();
}

}  // namespace

Status MergeAggregates(std::span<const ChunkView> group, bool chain, std::vector<EncodedChunk>* out) {
  std::vector<AggrChunkView> chunks;
  for (const ChunkView& chunk : group) {
    if (chunk.encoding != Encoding::kAggregate) {
      return Status(Code::kUnsupported, "a downsampled chunk overlaps one that is not");
    }
    GN_ASSIGN(AggrChunkView view, ParseAggrChunk(chunk.bytes));
    chunks.push_back(view);
  }
  std::array<Samples, kAggregates> merged;
  for (size_t a = 0; a < kAggregates; ++a) {
    GN_TRY(MergeOne(chunks, static_cast<Aggregate>(a), chain, &merged[a]));
  }
  std::vector<EncodedChunk> counts;
  SampleEncoder encoder(false, SampleEncoder::kSamplesMax, &counts);
  encoder.Append(merged[static_cast<size_t>(Aggregate::kCount)]);
  encoder.Finish();
  for (const EncodedChunk& count : counts) {
    std::array<std::string, kAggregates> bytes;
    AggrChunkView parts;
    for (size_t a = 0; a < kAggregates; ++a) {
      Aggregate aggregate = static_cast<Aggregate>(a);
      bytes[a] = aggregate == Aggregate::kCount
                     ? count.bytes
                     : EncodeSlice(merged[a], count.mint_ms, count.maxt_ms, aggregate == Aggregate::kCounter);
      if (!bytes[a].empty()) parts.parts[a] = {Encoding::kXor, bytes[a]};
    }
    out->push_back({Encoding::kAggregate, EncodeAggrChunk(parts), count.mint_ms, count.maxt_ms});
  }
  return Status();
}

}  // namespace gauntlet::tsdb
