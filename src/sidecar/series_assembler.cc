#include "sidecar/series_assembler.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "storeapi/portable.h"

namespace gauntlet::sidecar {
namespace {

constexpr size_t kBatchSeries = 64, kBatchBytes = 256 << 10;

}  // namespace

SeriesAssembler::SeriesAssembler(const RemoteReadRequest& request, const RemoteReadOptions& options, Emit emit)
    : request_(request),
      emit_(std::move(emit)),
      rewriter_(request.external_labels, request.without),
      shard_(request.shard) {
  if (request.sort) spill_.emplace(options.spill_folder, nullptr);
}

Status SeriesAssembler::Add(const storeapi::SeriesBatchPtr& source) {
  GN_ASSIGN(storeapi::SeriesBatchPtr batch,
            request_.chunks ? storeapi::MakePortable(source) : Result<storeapi::SeriesBatchPtr>(source));
  std::string packed;
  for (uint32_t i = 0; i < batch->size(); ++i) {
    rewriter_.Rewrite(batch->labels(i), &packed);
    LabelsView labels(packed);
    if (!shard_.Matches(labels)) continue;
    if (spill_) {
      GN_TRY(spill_->Add(Labels(labels), request_.chunks ? batch->chunks(i) : std::span<const wire::ChunkView>()));
      continue;
    }
    GN_TRY(window_.Push({Labels(labels), Held{batch, i}}, &released_));
    for (Window::Item& item : released_) GN_TRY(Append(item.labels, item.payload.batch, item.payload.index));
    released_.clear();
  }
  return Status();
}

Status SeriesAssembler::Append(LabelsView labels, const storeapi::SeriesBatchPtr& batch, uint32_t index) {
  bool again = pending_ && labels == last_.view();  // a series in pieces
  if (!again && full()) return Status();
  if (!again && pending_ && (pending_->size() >= kBatchSeries || pending_bytes_ >= kBatchBytes)) GN_TRY(EmitPending());
  if (!pending_) pending_ = std::make_shared<storeapi::SeriesBatch>();
  std::vector<wire::ChunkView> chunks;
  if (request_.chunks) {
    chunks.assign(batch->chunks(index).begin(), batch->chunks(index).end());
    for (wire::ChunkView& chunk : chunks) {
      if (chunk.hash == 0) chunk.hash = XxHash64(chunk.data);
      pending_bytes_ += chunk.data.size();
    }
  }
  if (again) {
    pending_->Extend(chunks);
  } else {
    pending_->Add(labels, chunks);
    last_ = Labels(labels);
    ++emitted_;
  }
  pending_->KeepAlive(batch);
  return Status();
}

Status SeriesAssembler::EmitPending() {
  pending_bytes_ = 0;
  return emit_(std::exchange(pending_, nullptr));
}

Status SeriesAssembler::Finish() {
  if (spill_) {
    GN_TRY(spill_->Sort());
    while (true) {
      GN_ASSIGN(storeapi::SeriesBatchPtr batch, spill_->Next());
      if (!batch) break;
      for (uint32_t i = 0; i < batch->size(); ++i) GN_TRY(Append(batch->labels(i), batch, i));
    }
  }
  window_.Flush(&released_);
  for (Window::Item& item : released_) GN_TRY(Append(item.labels, item.payload.batch, item.payload.index));
  released_.clear();
  return pending_ ? EmitPending() : Status();
}

}  // namespace gauntlet::sidecar
