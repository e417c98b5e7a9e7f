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

Status BlockWriter::AddSeries(LabelsView labels, std::span<const BlockChunk> chunks) {
  BlockStats& stats = meta_.stats;
  if (stats.series == 0 && !keep_sample_counts_) stats.samples = stats.float_samples = stats.histogram_samples = 0;
  views_.clear();
  metas_.clear();
  for (const BlockChunk& chunk : chunks) {
    views_.push_back(chunk.chunk);
    metas_.push_back({chunk.mint_ms, chunk.maxt_ms, 0});
    if (keep_sample_counts_) continue;
    uint64_t count = SampleCount(chunk.chunk);
    stats.samples += count;
    (IsHistogramEncoding(chunk.chunk.encoding) ? stats.histogram_samples : stats.float_samples) += count;
  }
  refs_.resize(views_.size());
  GN_TRY(chunks_->Write(views_, refs_));
  for (size_t i = 0; i < metas_.size(); ++i) metas_[i].ref = refs_[i];
  GN_TRY(index_->AddSeries(labels, metas_));
  ++stats.series;
  stats.chunks += chunks.size();
  return Status();
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
