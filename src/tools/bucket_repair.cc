#include "tools/bucket_repair.h"

#include <vector>

#include "io/path.h"
#include "tsdb/block/block.h"
#include "tsdb/block/block_writer.h"
#include "tsdb/index/series.h"

namespace gauntlet::tools {
namespace {

// The chunks that may stay. Upstream leaves out those that end at the block's end, too: their last sample is the first
// of the next block (prometheus/tsdb issue 347).
Result<std::vector<tsdb::ChunkMeta>> Keep(const std::vector<tsdb::ChunkMeta>& chunks, const tsdb::BlockMeta& block) {
  std::vector<tsdb::ChunkMeta> kept;
  for (const tsdb::ChunkMeta& chunk : chunks) {
    bool outside = chunk.mint_ms >= block.maxt_ms || chunk.maxt_ms < block.mint_ms;
    bool touching = chunk.maxt_ms == block.maxt_ms;
    if (outside || touching) continue;
    if (chunk.mint_ms < block.mint_ms || chunk.maxt_ms > block.maxt_ms) {
      return Status(Code::kCorrupt, "a chunk is in part outside the block's times");
    }
    if (!kept.empty() && chunk.mint_ms <= kept.back().maxt_ms) {
      if (chunk == kept.back()) continue;
      return Status(Code::kCorrupt, "overlapping chunks that are not the same");
    }
    kept.push_back(chunk);
  }
  return kept;
}

}  // namespace

Result<Ulid> RepairBlock(io::FileSystem& files, Clock& clock, const std::string& parent, const blocks::Meta& meta,
                         const Cancel& cancel) {
  GN_ASSIGN(auto block, tsdb::Block::Open(files, io::JoinPath(parent, meta.block.ulid.ToString())));
  blocks::Meta repaired = meta;
  repaired.block.ulid = Ulid::Make(clock.NowMs());
  repaired.block.stats = {};
  repaired.thanos.source = blocks::kBucketRepairSource;
  repaired.thanos.segment_files.clear();
  repaired.thanos.files.clear();
  GN_ASSIGN(auto writer, tsdb::BlockWriter::Create(files, parent, repaired.block));
  tsdb::SymbolTable::Cursor symbols(block->index().symbols());
  for (std::string_view symbol; symbols.Next(&symbol);) GN_TRY(writer->AddSymbol(symbol));
  GN_ASSIGN(tsdb::PostingsList all, block->index().AllPostings());
  tsdb::SeriesDecoder decoder(block->index().symbols());
  tsdb::SeriesEntry entry;
  for (size_t i = 0; i < all.size(); ++i) {
    if (i % 1024 == 0) GN_TRY(cancel.status());
    GN_TRY(decoder.Decode(block->index().SeriesBytes(all[i]), &entry));
    GN_ASSIGN(std::vector<tsdb::ChunkMeta> kept, Keep(entry.chunks, meta.block));
    if (kept.empty()) continue;
    std::vector<tsdb::BlockChunk> chunks;
    for (const tsdb::ChunkMeta& chunk : kept) {
      GN_ASSIGN(tsdb::ChunkView view, block->chunks().Read(chunk.ref));
      chunks.push_back({chunk.mint_ms, chunk.maxt_ms, view});
    }
    GN_TRY(writer->AddSeries(entry.labels(), chunks));
  }
  GN_TRY(writer->Finish(block->tombstones()));
  // The writer knows nothing of the thanos section.
  repaired.block = writer->meta();
  repaired.block.more = meta.block.more;
  const std::string dir = io::JoinPath(parent, repaired.block.ulid.ToString());
  GN_ASSIGN(std::vector<io::FileInfo> segments, files.List(io::JoinPath(dir, blocks::kChunksDirectory)));
  for (const io::FileInfo& segment : segments) repaired.thanos.segment_files.push_back(segment.name);
  GN_TRY(files.WriteAtomically(io::JoinPath(dir, tsdb::kMetaFile), blocks::FormatMeta(repaired)));
  GN_ASSIGN(auto checked, tsdb::Block::Open(files, dir));
  GN_TRY(tsdb::VerifyBlock(*checked, cancel).Wrap("the repaired block"));
  return repaired.block.ulid;
}

}  // namespace gauntlet::tools
