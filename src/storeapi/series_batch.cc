#include "storeapi/series_batch.h"

#include <utility>

namespace gauntlet::storeapi {

namespace {
constexpr size_t kBatchSeries = 64;
}

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
  if (!kept_.empty() && kept_.back() == other) return;
  kept_bytes_ += other->memory_bytes();
  kept_.push_back(std::move(other));
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
