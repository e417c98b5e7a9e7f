#include "tsdb/block/block_writer.h"

#include <utility>

#include "io/path.h"

namespace gauntlet::tsdb {

Result<std::unique_ptr<BlockWriter>> BlockWriter::Create(io::FileSystem& files, const std::string& parent,
                                                         BlockMeta meta, uint64_t segment_bytes_max) {
  std::unique_ptr<BlockWriter> writer(new BlockWriter(files, std::move(meta)));
  writer->parent_ = parent;
  writer->dir_ = io::JoinPath(parent, writer->meta_.ulid.ToString());
  writer->temporary_ = writer->dir_ + std::string(kTemporaryBlockSuffix);
  const std::string& dir = writer->temporary_;
  GN_TRY(files.RemoveAll(dir));
  std::string chunks = io::JoinPath(dir, "chunks");
  GN_TRY(files.MakeDirectories(chunks));
  writer->chunks_ = std::make_unique<SegmentWriter>(files, chunks, segment_bytes_max);
  GN_ASSIGN(writer->index_, IndexWriter::Create(files, io::JoinPath(dir, "index")));
  BlockStats& stats = writer->meta_.stats;
  stats.series = stats.chunks = stats.tombstones = 0;
  return writer;
}

BlockWriter::~BlockWriter() {
  if (!finished_) (void)files_.RemoveAll(temporary_).ok();
}

void CountSeries(std::span<const BlockChunk> chunks, bool samples, BlockStats* stats) {
  bool first = stats->series++ == 0;
  stats->chunks += chunks.size();
  if (!samples) return;
  if (first) {
    stats->samples = 0;
    bool aggregates = !chunks.empty() && chunks[0].chunk.encoding == Encoding::kAggregate;
    if (!aggregates) stats->float_samples = stats->histogram_samples = 0;
  }
  for (const BlockChunk& chunk : chunks) {
    uint64_t count = SampleCount(chunk.chunk);
    stats->samples += count;
    if (IsHistogramEncoding(chunk.chunk.encoding)) stats->histogram_samples += count;
    if (IsFloatEncoding(chunk.chunk.encoding)) stats->float_samples += count;
  }
}

Status WriteChunks(std::span<const BlockChunk> chunks, SegmentWriter& segments, WrittenChunks* written) {
  written->to_store.clear();
  for (const BlockChunk& chunk : chunks) written->to_store.push_back({chunk.chunk, chunk.stored});
  written->refs.resize(chunks.size());
  GN_TRY(segments.Write(written->to_store, written->refs));
  written->metas.clear();
  for (size_t i = 0; i < chunks.size(); ++i) {
    written->metas.push_back({chunks[i].mint_ms, chunks[i].maxt_ms, written->refs[i]});
  }
  return Status();
}

template <typename Labels>
Status BlockWriter::Add(Labels labels, std::span<const BlockChunk> chunks) {
  GN_TRY(WriteChunks(chunks, *chunks_, &written_));
  GN_TRY(index_->AddSeries(labels, written_.metas));
  CountSeries(chunks, !keep_sample_counts_, &meta_.stats);
  return Status();
}

Status BlockWriter::AddSeries(LabelsView labels, std::span<const BlockChunk> chunks) { return Add(labels, chunks); }

Status BlockWriter::AddSeries(std::span<const uint32_t> labels, std::span<const BlockChunk> chunks) {
  return Add(labels, chunks);
}

Status BlockWriter::Finish(const Tombstones& tombstones) {
  GN_TRY(chunks_->Finish());
  GN_TRY(index_->Finish());
  meta_.stats.tombstones = tombstones.count();
  GN_TRY(files_.WriteAtomically(io::JoinPath(temporary_, kMetaFile), FormatBlockMeta(meta_)));
  GN_TRY(files_.WriteAtomically(io::JoinPath(temporary_, kTombstonesFile), tombstones.Format()));
  GN_TRY(files_.SyncDirectory(temporary_));
  GN_TRY(files_.Rename(temporary_, dir_));
  finished_ = true;
  return files_.SyncDirectory(parent_);
}

}  // namespace gauntlet::tsdb
