#include "storeapi/series_batch.h"

#include <algorithm>
#include <utility>

#include "tsdb/chunkenc/transcode.h"

namespace gauntlet::storeapi {

void SeriesBatch::Reserve(size_t series, size_t labels_bytes) {
  entries_.reserve(series);
  chunks_.reserve(series);
  labels_.reserve(labels_bytes);
}

void SeriesBatch::Add(LabelsView labels, std::span<const wire::ChunkView> chunks) {
  entries_.push_back({static_cast<uint32_t>(labels_.size()), static_cast<uint32_t>(labels.packed().size()),
                      static_cast<uint32_t>(chunks_.size()), static_cast<uint32_t>(chunks.size())});
  labels_.append(labels.packed());
  chunks_.insert(chunks_.end(), chunks.begin(), chunks.end());
}

void SeriesBatch::Extend(std::span<const wire::ChunkView> chunks) {
  entries_.back().chunks_count += static_cast<uint32_t>(chunks.size());
  chunks_.insert(chunks_.end(), chunks.begin(), chunks.end());
}

void SeriesBatch::KeepAlive(std::shared_ptr<const SeriesBatch> other) {
  if (std::find(kept_.rbegin(), kept_.rend(), other) != kept_.rend()) return;
  size_t bytes = other->memory_bytes();
  KeepAlive(std::shared_ptr<const void>(std::move(other)), bytes);
}

void SeriesBatch::KeepAlive(std::shared_ptr<const void> owner, size_t memory_bytes) {
  kept_bytes_ += memory_bytes;
  kept_.push_back(std::move(owner));
}

SeriesBatchPtr BatchOf(LabelsView labels, std::span<const tsdb::EncodedChunk> chunks) {
  auto batch = std::make_shared<SeriesBatch>();
  std::string& frame = *batch->frame();
  size_t bytes = 0;
  for (const tsdb::EncodedChunk& chunk : chunks) bytes += chunk.bytes.size();
  frame.reserve(bytes);
  std::vector<wire::ChunkView> views;
  for (const tsdb::EncodedChunk& chunk : chunks) {
    const size_t at = frame.size();
    frame.append(chunk.bytes);
    wire::ChunkView& view = views.emplace_back();
    view.min_time_ms = chunk.mint_ms;
    view.max_time_ms = chunk.maxt_ms;
    view.data = std::string_view(frame).substr(at);
    view.encoding = static_cast<uint8_t>(chunk.encoding);
  }
  batch->Add(labels, views);
  return batch;
}

Result<ParsedFrame> ParseFrame(std::string frame) {
  if (frame.size() > UINT32_MAX)
    return Status(Code::kCorrupt, "series frame of " + std::to_string(frame.size()) + " bytes");
  ParsedFrame parsed;
  auto batch = std::make_shared<SeriesBatch>();
  *batch->frame() = std::move(frame);
  batch->Reserve(kBatchSeries, batch->frame()->size() / 4);  // about what labels are of a frame
  thread_local wire::SeriesReader reader;
  reader.Reset(*batch->frame());
  while (true) {
    GN_ASSIGN(bool more, reader.Next());
    if (!more) break;
    switch (reader.kind()) {
      case wire::SeriesReader::Kind::kSeries:
        batch->Add(reader.labels(), reader.chunks());
        break;
      case wire::SeriesReader::Kind::kWarning:
        parsed.warnings.emplace_back(reader.text());
        break;
      case wire::SeriesReader::Kind::kHints:
        break;
    }
  }
  if (batch->size() > 0) parsed.series = std::move(batch);
  return parsed;
}

}  // namespace gauntlet::storeapi
