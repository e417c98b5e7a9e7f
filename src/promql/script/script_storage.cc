#include "promql/script/script_storage.h"

#include <utility>

#include "tsdb/chunkenc/chunk.h"

namespace gauntlet::promql {
namespace {

constexpr tsdb::Encoding kEncoding = tsdb::Encoding::kFloatHistogramSt;

}  // namespace

void ScriptStorage::Append(LabelsView labels, int64_t time_ms, double value, int64_t start_time_ms) {
  storage_.Append(labels, time_ms, value, start_time_ms);
  // A float ends the chunk of histograms; nothing is known about a reset between it and the next one.
  auto at = chunks_.find(Labels(labels));
  if (at == chunks_.end() || at->second.open == nullptr) return;
  at->second.finished.push_back(at->second.open->Release());
  at->second.open.reset();
}

void ScriptStorage::AppendHistogram(LabelsView labels, int64_t time_ms, const Histogram& histogram,
                                    int64_t start_time_ms) {
  Chunks& chunks = chunks_[Labels(labels)];
  chunks.changed = true;
  std::unique_ptr<tsdb::HistogramAppender> previous;
  if (chunks.open != nullptr && chunks.open->count() == chunks.open->max_count()) {
    previous = std::move(chunks.open);
    chunks.finished.emplace_back(previous->bytes());
  }
  if (chunks.open == nullptr) chunks.open = std::make_unique<tsdb::HistogramAppender>(kEncoding);
  std::string finished;
  auto outcome = chunks.open->Append(start_time_ms, time_ms, histogram, previous.get(), &finished);
  if (outcome == tsdb::HistogramAppender::Outcome::kNewChunk) chunks.finished.push_back(std::move(finished));
}

Status ScriptStorage::Flush() {
  for (auto& [labels, chunks] : chunks_) {
    if (std::exchange(chunks.changed, false)) GN_TRY(Flush(labels, &chunks));
  }
  return Status();
}

Status ScriptStorage::Flush(const Labels& labels, Chunks* chunks) {
  Samples samples;
  for (const std::string& bytes : chunks->finished) GN_TRY(tsdb::DecodeChunk({kEncoding, bytes}, &samples));
  if (chunks->open != nullptr) GN_TRY(tsdb::DecodeChunk({kEncoding, chunks->open->bytes()}, &samples));
  for (HistogramSample& h : samples.histograms) {
    const int64_t start = samples.start_times_ms.empty() ? 0 : samples.start_times_ms[h.position];
    storage_.AppendHistogram(labels, samples.times_ms[h.position], std::move(h.histogram), start);
  }
  return Status();
}

void ScriptStorage::Clear() {
  storage_.Clear();
  chunks_.clear();
}

}  // namespace gauntlet::promql
