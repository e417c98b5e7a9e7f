#include "blocks/index_health.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "model/labels.h"
#include "tsdb/index/series.h"

namespace gauntlet::blocks {
namespace {

Status Issue(std::string text) { return {Code::kCorrupt, std::move(text)}; }

void AddChunks(const std::vector<tsdb::ChunkMeta>& chunks, int64_t mint_ms, int64_t maxt_ms, IndexHealth* health) {
  int64_t out_of_order = 0;
  for (size_t i = 0; i < chunks.size(); ++i) {
    const tsdb::ChunkMeta& chunk = chunks[i];
    if (chunk.mint_ms < mint_ms || chunk.maxt_ms >= maxt_ms) {
      ++health->outside_chunks;
      if (chunk.maxt_ms == maxt_ms && chunk.mint_ms >= mint_ms && chunk.mint_ms < maxt_ms) {
        ++health->touching_chunks;
      } else if (chunk.mint_ms >= maxt_ms || chunk.maxt_ms < mint_ms) {
        ++health->complete_outside_chunks;
      }
    }
    // By where the next one begins, as upstream estimates it; not across segments, and not of the last two.
    if (i + 2 < chunks.size() && chunk.ref >> 32 == chunks[i + 1].ref >> 32 && chunk.ref < chunks[i + 1].ref) {
      health->chunk_bytes_max = std::max(health->chunk_bytes_max, static_cast<int64_t>(chunks[i + 1].ref - chunk.ref));
    }
    if (i == 0) continue;
    if (chunk.mint_ms > chunks[i - 1].maxt_ms) continue;
    ++out_of_order;
    if (chunk == chunks[i - 1]) ++health->duplicate_chunks;
  }
  if (out_of_order > 0) ++health->out_of_order_series;
  health->out_of_order_chunks += out_of_order;
}

}  // namespace

Status IndexHealth::Critical() const {
  std::string text;
  if (int64_t n = outside_chunks - complete_outside_chunks - touching_chunks; n > 0) {
    text = fmt::format("found {} chunks non-completely outside the block time range", n);
  }
  if (complete_outside_chunks > 0) {
    text += fmt::format("{}found {} chunks completely outside the block time range", text.empty() ? "" : ", ",
                        complete_outside_chunks);
  }
  return text.empty() ? Status() : Issue(std::move(text));
}

Status IndexHealth::OutOfOrderChunks() const {
  if (out_of_order_chunks == 0) return Status();
  return Issue(fmt::format(
      "{}/{} series have an average of {:.3f} out-of-order chunks: {:.3f} of these are exact "
      "duplicates (in terms of data and time range)",
      out_of_order_series, series, static_cast<double>(out_of_order_chunks) / static_cast<double>(out_of_order_series),
      static_cast<double>(duplicate_chunks) / static_cast<double>(out_of_order_chunks)));
}

Status IndexHealth::Any() const {
  std::string text;
  auto add = [&](const Status& status) {
    if (!status.ok()) text.append(text.empty() ? "" : ", ").append(status.message());
  };
  add(Critical());
  if (touching_chunks > 0) {
    add(Issue(fmt::format("found {} chunks that reach to the end of the block time range", touching_chunks)));
  }
  if (out_of_order_labels > 0) {
    add(Issue(fmt::format("index contains {} series with out of order labels", out_of_order_labels)));
  }
  add(OutOfOrderChunks());
  return text.empty() ? Status() : Issue(std::move(text));
}

Result<IndexHealth> GatherIndexHealth(const tsdb::IndexReader& index, int64_t mint_ms, int64_t maxt_ms,
                                      const Cancel& cancel) {
  GN_ASSIGN(tsdb::PostingsList list, index.AllPostings());
  tsdb::SeriesDecoder decoder(index.symbols());
  tsdb::SeriesEntry entry;
  Labels last;
  IndexHealth health;
  const int64_t unit = index.version() >= 2 ? 16 : 1;  // of ids
  for (size_t at = 0; at < list.size(); ++at) {
    const uint32_t id = list[at];
    if (health.series % 4096 == 0) GN_TRY(cancel.status());
    std::string_view bytes = index.SeriesBytes(id);
    GN_TRY(decoder.Decode(bytes, &entry).Wrap(fmt::format("series {}", id)));
    if (health.series > 0 && CompareLabels(last.view(), entry.labels()) >= 0) {
      return Issue(fmt::format("out-of-order label set {}: last {}", entry.labels().ToString(), last.ToString()));
    }
    last = Labels(entry.labels());
    ++health.series;
    health.chunks += static_cast<int64_t>(entry.chunks.size());
    // By where the next one begins, with its padding.
    if (at > 0) health.series_bytes_max = std::max(health.series_bytes_max, int64_t{id - list[at - 1]} * unit);
    std::string_view previous;
    bool ordered = true;
    for (const Label& label : entry.labels()) {
      ordered = ordered && (previous.data() == nullptr || previous < label.name);
      previous = label.name;
    }
    if (!ordered) ++health.out_of_order_labels;
    if (entry.chunks.empty()) return Issue(fmt::format("empty chunks for series {}", id));
    AddChunks(entry.chunks, mint_ms, maxt_ms, &health);
  }
  return health;
}

}  // namespace gauntlet::blocks
