#include "storeapi/portable.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "tsdb/chunkenc/transcode.h"

namespace gauntlet::storeapi {
namespace {

bool Portable(std::span<const wire::ChunkView> chunks) {
  return std::all_of(chunks.begin(), chunks.end(), [](const wire::ChunkView& c) {
    return tsdb::IsPortable(static_cast<tsdb::Encoding>(c.encoding));
  });
}

}  // namespace

Result<SeriesBatchPtr> MakePortable(const SeriesBatchPtr& batch) {
  bool portable = true;
  for (size_t i = 0; i < batch->size() && portable; ++i) portable = Portable(batch->chunks(i));
  if (portable) return batch;

  // All translated bytes first, then the views into them: the frame must not move once it is pointed into.
  struct Translated {
    std::vector<tsdb::EncodedChunk> chunks;
  };
  std::vector<Translated> translated;
  size_t bytes = 0;
  for (size_t i = 0; i < batch->size(); ++i) {
    for (const wire::ChunkView& chunk : batch->chunks(i)) {
      auto encoding = static_cast<tsdb::Encoding>(chunk.encoding);
      if (tsdb::IsPortable(encoding)) continue;
      Result<std::vector<tsdb::EncodedChunk>> chunks = tsdb::Transcode({encoding, chunk.data});
      if (!chunks.ok()) return chunks.status().Wrap("translate a chunk of " + batch->labels(i).ToString());
      for (const auto& c : *chunks) bytes += c.bytes.size();
      translated.push_back({*std::move(chunks)});
    }
  }
  auto result = std::make_shared<SeriesBatch>();
  std::string* frame = result->frame();
  frame->reserve(bytes);
  size_t next = 0;
  std::vector<wire::ChunkView> views;
  for (size_t i = 0; i < batch->size(); ++i) {
    views.clear();
    for (const wire::ChunkView& chunk : batch->chunks(i)) {
      if (tsdb::IsPortable(static_cast<tsdb::Encoding>(chunk.encoding))) {
        views.push_back(chunk);
        continue;
      }
      for (const tsdb::EncodedChunk& c : translated[next++].chunks) {
        size_t at = frame->size();
        frame->append(c.bytes);
        wire::ChunkView view;
        view.min_time_ms = c.mint_ms;
        view.max_time_ms = c.maxt_ms;
        view.data = std::string_view(*frame).substr(at, c.bytes.size());
        view.encoding = static_cast<uint8_t>(c.encoding);
        views.push_back(view);
      }
    }
    result->Add(batch->labels(i), views);
  }
  result->KeepAlive(batch);
  return SeriesBatchPtr(std::move(result));
}

}  // namespace gauntlet::storeapi
