#include "tsdb/block/block.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "io/path.h"
#include "tsdb/chunkenc/chunk.h"

namespace gauntlet::tsdb {
namespace {

constexpr int64_t kMinTime = std::numeric_limits<int64_t>::min();
constexpr size_t kSeriesBetweenCancels = 1024;

bool IsDownsampled(const Block& block) {
  return block.meta().extra("thanos").find("\"downsample\"") != std::string_view::npos;
}

struct Counted {
  uint64_t samples = 0, float_samples = 0, series = 0, chunks = 0;
};

Status VerifyChunk(const Block& block, const ChunkMeta& meta, Counted* counted) {
  GN_ASSIGN(ChunkView chunk, block.chunks().Read(meta.ref));
  ++counted->chunks;
  if (chunk.encoding == Encoding::kAggregate) return ReadTimeRange(chunk).status();
  Samples samples;
  GN_TRY(DecodeChunk(chunk, &samples));
  if (samples.size() == 0 || samples.times_ms.front() != meta.mint_ms || samples.times_ms.back() != meta.maxt_ms) {
    return Status(Code::kCorrupt,
                  fmt::format("chunk {}: its samples are not from {} to {}", meta.ref, meta.mint_ms, meta.maxt_ms));
  }
  counted->samples += samples.size();
  counted->float_samples += samples.size() - samples.histograms.size();
  return Status();
}

Status VerifyCounts(const Block& block, const Counted& counted) {
  const BlockStats& stats = block.meta().stats;
  auto check = [](std::string_view what, uint64_t said, uint64_t found) {
    if (said == found) return Status();
    return Status(Code::kCorrupt, fmt::format("{} says {} {}, there are {}", kMetaFile, said, what, found));
  };
  GN_TRY(check("series", stats.series, counted.series));
  GN_TRY(check("chunks", stats.chunks, counted.chunks));
  // Those of a downsampled block are its raw block's.
  return IsDownsampled(block) ? Status() : check("samples", stats.samples, counted.samples);
}

}  // namespace

Result<std::shared_ptr<const Block>> Block::Open(io::FileSystem& files, const std::string& dir) {
  std::shared_ptr<Block> block(new Block());
  GN_ASSIGN(std::string meta, files.ReadFile(io::JoinPath(dir, kMetaFile)));
  Result<BlockMeta> parsed = ParseBlockMeta(meta);
  if (!parsed.ok()) return parsed.status().Wrap(dir);
  block->meta_ = *std::move(parsed);
  GN_ASSIGN(block->index_, IndexReader::Open(files, io::JoinPath(dir, "index")));
  GN_ASSIGN(block->chunks_, SegmentReader::Open(files, io::JoinPath(dir, "chunks")));
  Result<std::string> tombstones = files.ReadFile(io::JoinPath(dir, kTombstonesFile));
  size_t tombstone_bytes = 0;
  if (tombstones.ok()) {
    tombstone_bytes = tombstones->size();
    Result<Tombstones> stones = Tombstones::Parse(*tombstones);
    if (!stones.ok()) return stones.status().Wrap(dir);
    block->tombstones_ = *std::move(stones);
  } else if (tombstones.status().code() != Code::kNotFound) {
    return tombstones.status();
  }
  block->bytes_ = meta.size() + block->index_->bytes().size() + block->chunks_.bytes() + tombstone_bytes;
  return std::shared_ptr<const Block>(std::move(block));
}

Result<PostingsCursorPtr> Block::Select(std::span<const Matcher> matchers, const Cancel& cancel) const {
  return SelectPostings(index_->table(), matchers, *index_, cancel);
}

Result<std::vector<std::string>> Block::LabelNames(std::span<const Matcher> matchers, size_t limit,
                                                   const Cancel& cancel) const {
  std::vector<std::string> names;
  auto full = [&] { return limit != 0 && names.size() >= limit; };
  if (matchers.empty()) {
    for (const PostingsTable::Name& name : index_->table().names()) {
      if (full()) break;
      names.emplace_back(name.name);
    }
    return names;
  }
  GN_ASSIGN(PostingsCursorPtr selected, Select(matchers, cancel));
  SeriesDecoder decoder(index_->symbols());
  std::set<uint32_t> refs;
  for (size_t n = 1; selected->Next(); ++n) {
    if (n % kSeriesBetweenCancels == 0) GN_TRY(cancel.status());
    GN_ASSIGN(std::span<const uint32_t> symbols, decoder.DecodeSymbols(index_->SeriesBytes(selected->id())));
    for (size_t i = 0; i < symbols.size(); i += 2) refs.insert(symbols[i]);
  }
  for (uint32_t ref : refs) {  // symbols are sorted, so their references are
    std::string_view name;
    if (full()) break;
    if (!index_->symbols().Lookup(ref, &name)) return Status(Code::kCorrupt, "a symbol is not in the table");
    names.emplace_back(name);
  }
  return names;
}

Result<std::vector<std::string>> Block::LabelValues(std::string_view name, std::span<const Matcher> matchers,
                                                    size_t limit, const Cancel& cancel) const {
  return SelectLabelValues(index_->table(), name, matchers, limit, *index_, cancel);
}

Result<bool> BlockSeries::Next() {
  while (series_->Next()) {
    std::string_view bytes = block_.index().SeriesBytes(series_->id());
    if (Status st = decoder_.DecodeOverlapping(bytes, mint_ms_, maxt_ms_, &entry_); !st.ok()) {
      return std::move(st).Wrap(fmt::format("series {}", series_->id()));
    }
    deleted_ = block_.tombstones().Of(series_->id());
    if (!deleted_.empty()) {
      std::erase_if(entry_.chunks,
                    [&](const ChunkMeta& chunk) { return IsDeleted(deleted_, chunk.mint_ms, chunk.maxt_ms); });
    }
    if (!entry_.chunks.empty()) return true;
  }
  return false;
}

Status ReadSamples(const Block& block, std::span<const ChunkMeta> chunks, std::span<const Interval> deleted,
                   int64_t mint_ms, int64_t maxt_ms, Samples* out) {
  size_t base = out->size();
  auto earlier = [](const ChunkMeta& a, const ChunkMeta& b) { return a.mint_ms < b.mint_ms; };
  std::vector<ChunkMeta> sorted;  // of a damaged block
  if (!std::is_sorted(chunks.begin(), chunks.end(), earlier)) {
    sorted.assign(chunks.begin(), chunks.end());
    std::stable_sort(sorted.begin(), sorted.end(), earlier);
    chunks = sorted;
  }
  std::vector<ChunkView> views;
  views.reserve(chunks.size());
  int64_t last_ms = std::numeric_limits<int64_t>::min();
  bool ascending = true;
  for (const ChunkMeta& meta : chunks) {
    if (!meta.Overlaps(mint_ms, maxt_ms)) continue;
    GN_ASSIGN(views.emplace_back(), block.chunks().Read(meta.ref));
    ascending = ascending && (views.size() == 1 || meta.mint_ms > last_ms);
    last_ms = meta.maxt_ms;
  }
  if (ascending) {
    GN_TRY(DecodeChunks(views, mint_ms, maxt_ms, out));
  } else {  // a damaged block: what is in it is given as it is
    for (ChunkView view : views) GN_TRY(DecodeChunk(view, mint_ms, maxt_ms, out));
  }
  if (!deleted.empty()) RemoveDeleted(deleted, base, out);
  return Status();
}

Status VerifyBlock(const Block& block, const Cancel& cancel) {
  GN_ASSIGN(PostingsList all, block.index().AllPostings());
  SeriesDecoder decoder(block.index().symbols());
  SeriesEntry entry;
  std::string last;
  Counted counted;
  for (size_t i = 0; i < all.size(); ++i) {
    if (i % kSeriesBetweenCancels == 0) GN_TRY(cancel.status());
    GN_TRY(decoder.Decode(block.index().SeriesBytes(all[i]), &entry));
    if (i > 0 && CompareLabels(LabelsView(last), entry.labels()) >= 0) {
      return Status(Code::kCorrupt, fmt::format("series {} is out of order", entry.labels().ToString()));
    }
    last = entry.packed_labels;
    ++counted.series;
    int64_t reached = kMinTime;
    for (const ChunkMeta& meta : entry.chunks) {
      bool inside = meta.mint_ms >= block.meta().mint_ms && meta.maxt_ms < block.meta().maxt_ms;
      if (!inside || meta.maxt_ms < meta.mint_ms || (reached != kMinTime && meta.mint_ms <= reached)) {
        return Status(Code::kCorrupt, fmt::format("series {}: chunk from {} to {} is out of order or outside",
                                                  entry.labels().ToString(), meta.mint_ms, meta.maxt_ms));
      }
      reached = meta.maxt_ms;
      if (Status st = VerifyChunk(block, meta, &counted); !st.ok()) {
        return std::move(st).Wrap(fmt::format("series {}", entry.labels().ToString()));
      }
    }
  }
  for (const PostingsTable::Name& name : block.index().table().names()) {
    for (auto values = block.index().table().ValuesOf(name.name); values.Next();) {
      GN_TRY(block.index().Postings(values.range()).status());
    }
  }
  return VerifyCounts(block, counted);
}

}  // namespace gauntlet::tsdb
