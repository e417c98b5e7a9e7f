#include "tsdb/compact/sink.h"

#include <utility>

#include "model/labels.h"

namespace gauntlet::tsdb {

std::string BlockSink::LabelText(std::span<const uint32_t> labels) const {
  std::string packed;
  for (size_t i = 0; i + 1 < labels.size(); i += 2) PackLabel(packed, symbol(labels[i]), symbol(labels[i + 1]));
  return LabelsView(packed).ToString();
}

Result<std::unique_ptr<LocalBlockSink>> LocalBlockSink::Create(io::FileSystem& files, const std::string& parent,
                                                               BlockMeta meta, uint64_t segment_bytes_max) {
  GN_ASSIGN(auto writer, BlockWriter::Create(files, parent, std::move(meta), segment_bytes_max));
  return std::unique_ptr<LocalBlockSink>(new LocalBlockSink(std::move(writer)));
}

Status LocalBlockSink::AddSeries(std::span<const uint32_t> labels, std::span<const BlockChunk> chunks,
                                 const Cancel& cancel) {
  if (meta().stats.series % 256 == 0) GN_TRY(cancel.status());
  return writer_->AddSeries(labels, chunks);
}

Result<BlockMeta> LocalBlockSink::Finish(const Cancel& cancel) {
  GN_TRY(cancel.status());
  GN_TRY(writer_->Finish());
  return writer_->meta();
}

}  // namespace gauntlet::tsdb
