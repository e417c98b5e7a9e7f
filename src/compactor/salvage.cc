#include "compactor/salvage.h"

#include <algorithm>
#include <vector>

#include "blocks/block_objects.h"
#include "compactor/merge_job.h"
#include "io/path.h"
#include "tsdb/block/block.h"
#include "tsdb/block/block_writer.h"
#include "tsdb/chunkenc/chunk.h"
#include "tsdb/index/series.h"

namespace gauntlet::compactor {
namespace {

// What a segment begins with. One that is missing gets this as its whole content, so that those after it keep their
// numbers.
constexpr char kEmptySegment[] = "\x85\xBD\x40\xDD\x01\x00\x00\x00";
constexpr size_t kEmptySegmentBytes = 8;

Status FillGaps(io::FileSystem& files, const std::string& dir, const blocks::Meta& meta) {
  for (const std::string& segment : meta.thanos.segment_files) {
    const std::string path = io::JoinPath(io::JoinPath(dir, blocks::kChunksDirectory), io::BaseName(segment));
    if (!files.Exists(path)) GN_TRY(files.WriteAtomically(path, std::string_view(kEmptySegment, kEmptySegmentBytes)));
  }
  return Status();
}

Status Write(const tsdb::Block& block, tsdb::BlockWriter& writer, SalvageResult* result, const Cancel& cancel) {
  tsdb::SymbolTable::Cursor symbols(block.index().symbols());
  for (std::string_view symbol; symbols.Next(&symbol);) GN_TRY(writer.AddSymbol(symbol));
  GN_ASSIGN(tsdb::PostingsList all, block.index().AllPostings());
  tsdb::SeriesDecoder decoder(block.index().symbols());
  tsdb::SeriesEntry entry;
  Samples samples;
  for (size_t i = 0; i < all.size(); ++i) {
    if (i % 1024 == 0) GN_TRY(cancel.status());
    GN_TRY(decoder.Decode(block.index().SeriesBytes(all[i]), &entry));
    std::vector<tsdb::BlockChunk> kept;
    uint64_t lost = 0;
    for (const tsdb::ChunkMeta& chunk : entry.chunks) {
      Result<tsdb::ChunkView> view = block.chunks().Read(chunk.ref);
      samples.Clear();
      const bool raw = view.ok() && view->encoding != tsdb::Encoding::kAggregate;
      const bool reads = view.ok() && (!raw || tsdb::DecodeChunk(*view, &samples).ok());
      const bool in_order = kept.empty() || chunk.mint_ms > kept.back().maxt_ms;
      if (reads && in_order) {
        kept.push_back({chunk.mint_ms, chunk.maxt_ms, *view});
      } else {
        ++lost;
      }
    }
    result->lost_chunks += lost;
    result->touched_series += lost > 0 ? 1 : 0;
    if (!kept.empty()) GN_TRY(writer.AddSeries(entry.labels(), kept));
  }
  return Status();
}

Result<SalvageResult> SalvageIn(const std::string& dir, const JobContext& context, const OutputOptions& options,
                                const blocks::MetaPtr& meta, const Ulid& id, const Cancel& cancel) {
  const Ulid from = meta->block.ulid;
  const std::string source = io::JoinPath(dir, from.ToString());
  GN_TRY(blocks::DownloadBlock(context.bucket, context.files, context.blocking, from, source, options.files_concurrency,
                               cancel)
             .Wrap("download block " + from.ToString()));
  GN_TRY(FillGaps(context.files, source, *meta));
  GN_ASSIGN(auto block, tsdb::Block::Open(context.files, source));
  blocks::Meta made = *meta;
  made.block.ulid = id;
  made.block.stats = {};
  CoverSources({meta}, &made.block);
  GN_ASSIGN(auto writer, tsdb::BlockWriter::Create(context.files, dir, made.block));
  SalvageResult result;
  GN_TRY(Write(*block, *writer, &result, cancel));
  if (writer->meta().stats.series == 0) return result;
  GN_TRY(writer->Finish());
  made.block = writer->meta();
  made.block.more = meta->block.more;
  made.thanos.source = blocks::kCompactorRepairSource;
  GN_ASSIGN(result.made, PublishBlock(context, options, io::JoinPath(dir, id.ToString()), std::move(made), cancel));
  return result;
}

}  // namespace

Result<SalvageResult> SalvageBlock(const JobContext& context, const OutputOptions& options, const std::string& work_dir,
                                   const blocks::MetaPtr& meta, const Cancel& cancel) {
  const std::vector<Ulid> ids = {meta->block.ulid};
  GN_ASSIGN(OutputId output, ChooseOutputId(context, ids, "salvage", cancel));
  if (output.there != nullptr) return SalvageResult{output.there, 0, 0};
  const std::string dir = io::JoinPath(work_dir, "salvage-" + meta->block.ulid.ToString());
  GN_TRY(context.files.RemoveAll(dir));
  GN_TRY(context.files.MakeDirectories(dir));
  Result<SalvageResult> result = SalvageIn(dir, context, options, meta, output.id, cancel);
  GN_TRY(context.files.RemoveAll(dir));
  return result;
}

}  // namespace gauntlet::compactor
