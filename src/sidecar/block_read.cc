#include "sidecar/block_read.h"

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include "sidecar/series_assembler.h"
#include "storeapi/merge.h"
#include "tsdb/block/merged_series.h"
#include "tsdb/chunkenc/transcode.h"

namespace gauntlet::sidecar {
namespace {

constexpr size_t kSamplesPerChunk = 120;
constexpr size_t kBatchSeries = 64, kBatchBytes = 256 << 10;

// Chunks written anew, at fixed places.
using Rewritten = std::deque<tsdb::EncodedChunk>;

wire::ChunkView ViewOf(int64_t mint_ms, int64_t maxt_ms, tsdb::ChunkView chunk) {
  wire::ChunkView view;
  view.min_time_ms = mint_ms;
  view.max_time_ms = maxt_ms;
  view.encoding = static_cast<uint8_t>(chunk.encoding);
  view.data = chunk.bytes;
  return view;
}

class BlockReadStream : public storeapi::SeriesStream {
 public:
  BlockReadStream(std::shared_ptr<const tsdb::BlockList> blocks, std::unique_ptr<tsdb::MergedSeries> series,
                  RemoteReadRequest request, bool joined, const RemoteReadOptions& options, const Cancel& cancel)
      : blocks_(std::move(blocks)),
        series_(std::move(series)),
        request_(std::move(request)),
        joined_(joined),
        options_(options),
        cancel_(cancel),
        assembler_(request_, options_, [this](storeapi::SeriesBatchPtr batch) {
          ready_.push_back(std::move(batch));
          return Status();
        }) {}

  Result<storeapi::SeriesBatchPtr> Next() override {
    while (ready_.empty() && !ended_) {
      GN_TRY(cancel_.status());
      GN_TRY(Fill());
    }
    if (ready_.empty()) return storeapi::SeriesBatchPtr();
    storeapi::SeriesBatchPtr batch = std::move(ready_.front());
    ready_.pop_front();
    return batch;
  }

 private:
  // Hands some series to the assembler.
  Status Fill() {
    auto batch = std::make_shared<storeapi::SeriesBatch>();
    auto rewritten = std::make_shared<Rewritten>();
    size_t bytes = 0;
    while (batch->size() < kBatchSeries && bytes < kBatchBytes) {
      GN_ASSIGN(bool more, assembler_.full() ? Result<bool>(false) : series_->Next(&entry_));
      if (!more) {
        ended_ = true;
        break;
      }
      views_.clear();
      if (request_.chunks) {
        GN_TRY(entry_.disjoint() ? TakeChunks(*rewritten) : MergeChunks(*rewritten));
        if (views_.empty()) continue;  // all of its samples lie outside or are deleted
      }
      for (const wire::ChunkView& view : views_) bytes += view.data.size();
      batch->Add(entry_.labels(), views_);
    }
    size_t rewritten_bytes = 0;
    for (const tsdb::EncodedChunk& chunk : *rewritten) rewritten_bytes += sizeof(chunk) + chunk.bytes.capacity();
    batch->KeepAlive(blocks_, 0);
    if (rewritten_bytes > 0) batch->KeepAlive(std::move(rewritten), rewritten_bytes);
    if (batch->size() > 0) GN_TRY(assembler_.Add(batch));
    return ended_ ? assembler_.Finish() : Status();
  }

  Status TakeChunks(Rewritten& rewritten) {
    for (const tsdb::SeriesPart& part : entry_.parts) {
      for (const tsdb::ChunkMeta& meta : entry_.chunks_of(part)) {
        if (joined_ && meta.maxt_ms > request_.end_ms) continue;
        std::span<const tsdb::Interval> deleted = part.deleted();
        bool touched = std::any_of(deleted.begin(), deleted.end(), [&](const tsdb::Interval& interval) {
          return meta.Overlaps(interval.mint_ms, interval.maxt_ms);
        });
        if (!touched) {
          GN_ASSIGN(tsdb::ChunkView chunk, part.block->chunks().Read(meta.ref));
          views_.push_back(ViewOf(meta.mint_ms, meta.maxt_ms, chunk));
          continue;
        }
        samples_.Clear();
        GN_TRY(ReadSamples(*part.block, {&meta, 1}, deleted, meta.mint_ms, meta.maxt_ms, &samples_));
        Rewrite(rewritten);
      }
    }
    return Status();
  }

  Status MergeChunks(Rewritten& rewritten) {
    samples_.Clear();
    GN_TRY(ReadMerged(entry_, request_.start_ms, request_.end_ms, &samples_));
    Rewrite(rewritten);
    return Status();
  }

  void Rewrite(Rewritten& rewritten) {
    std::vector<tsdb::EncodedChunk> chunks;
    EncodeSamples(samples_, kSamplesPerChunk, &chunks);
    for (tsdb::EncodedChunk& chunk : chunks) {
      const tsdb::EncodedChunk& kept = rewritten.emplace_back(std::move(chunk));
      views_.push_back(ViewOf(kept.mint_ms, kept.maxt_ms, kept.view()));
    }
  }

  std::shared_ptr<const tsdb::BlockList> blocks_;
  std::unique_ptr<tsdb::MergedSeries> series_;
  const RemoteReadRequest request_;
  const bool joined_;
  const RemoteReadOptions options_;
  const Cancel cancel_;
  SeriesAssembler assembler_;
  std::deque<storeapi::SeriesBatchPtr> ready_;
  bool ended_ = false;
  tsdb::MergedEntry entry_;
  std::vector<wire::ChunkView> views_;
  Samples samples_;
};

class JoinedStream : public storeapi::SeriesStream {
 public:
  JoinedStream(std::vector<std::unique_ptr<storeapi::SeriesStream>> streams, int64_t limit)
      : merge_(std::move(streams), [](uint32_t, const Status& status) { return status; }),
        left_(limit > 0 ? limit : -1) {}

  Result<storeapi::SeriesBatchPtr> Next() override {
    auto batch = std::make_shared<storeapi::SeriesBatch>();
    size_t bytes = 0;
    storeapi::MergedSeries series;
    std::vector<wire::ChunkView> views;
    while (left_ != 0 && batch->size() < kBatchSeries && bytes < kBatchBytes) {
      GN_ASSIGN(bool more, merge_.Next(&series));
      if (!more) {
        left_ = 0;
        break;
      }
      views.clear();
      for (const storeapi::SeriesPart& part : series.parts) {
        for (const wire::ChunkView& chunk : part.chunks()) {
          views.push_back(chunk);
          bytes += chunk.data.size();
        }
        batch->KeepAlive(part.batch);
      }
      batch->Add(series.labels, views);
      if (left_ > 0) --left_;
    }
    if (batch->size() == 0) return storeapi::SeriesBatchPtr();
    return storeapi::SeriesBatchPtr(std::move(batch));
  }

 private:
  storeapi::SeriesMerge merge_;
  int64_t left_;  // negative = all
};

}  // namespace

Result<std::unique_ptr<storeapi::SeriesStream>> StartBlockRead(std::shared_ptr<const tsdb::BlockList> blocks,
                                                               RemoteReadRequest request, bool joined,
                                                               const RemoteReadOptions& options, const Cancel& cancel) {
  GN_ASSIGN(std::unique_ptr<tsdb::MergedSeries> series,
            tsdb::MergedSeries::Select(blocks, request.matchers, request.start_ms, request.end_ms, cancel));
  return std::unique_ptr<storeapi::SeriesStream>(std::make_unique<BlockReadStream>(
      std::move(blocks), std::move(series), std::move(request), joined, options, cancel));
}

std::unique_ptr<storeapi::SeriesStream> JoinByTime(std::unique_ptr<storeapi::SeriesStream> earlier,
                                                   std::unique_ptr<storeapi::SeriesStream> later, int64_t limit) {
  std::vector<std::unique_ptr<storeapi::SeriesStream>> streams;
  streams.push_back(std::move(earlier));
  streams.push_back(std::move(later));
  return std::make_unique<JoinedStream>(std::move(streams), limit);
}

}  // namespace gauntlet::sidecar
