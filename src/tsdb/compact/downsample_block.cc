// Series are read in batches of some megabytes; those of a batch are downsampled side by side, then written in order.

#include "tsdb/compact/downsample_block.h"

#include <algorithm>
#include <deque>
#include <limits>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/check.h"
#include "downsample/series_downsampler.h"
#include "tsdb/compact/part.h"

namespace gauntlet::tsdb {
namespace {

constexpr size_t kBatchBytes = 4 << 20;
constexpr size_t kBatchSeries = 512;

// One series on its way.
struct Slot {
  SourceSeries series;
  std::vector<EncodedChunk> made;
  Status status;
  FaultKind fault = FaultKind::kNone;
};

// What a thread needs to downsample series.
class Worker {
 public:
  explicit Worker(const DownsampleOptions& options)
      : raw_(options.from_resolution_ms == 0), downsampler_(options.from_resolution_ms, options.resolution_ms) {}

  void Run(Slot* slot) {
    slot->made.clear();
    slot->fault = FaultKind::kNone;
    slot->status = Downsample(slot);
    if (!slot->status.ok() && slot->fault == FaultKind::kNone) slot->fault = FaultOf(slot->status, FaultKind::kChunk);
  }

 private:
  Status Downsample(Slot* slot) {
    chunks_.clear();
    if (raw_ && !slot->series.deleted.empty()) {
      GN_TRY(ReadUndeleted(slot));
    } else {
      for (const SourceChunk& chunk : slot->series.chunks) {
        GN_ASSIGN(ChunkView view, chunk.Read());
        chunks_.push_back({chunk.meta.mint_ms, chunk.meta.maxt_ms, view});
      }
    }
    for (size_t i = 1; i < chunks_.size(); ++i) {
      if (chunks_[i].mint_ms <= chunks_[i - 1].maxt_ms) slot->fault = FaultKind::kChunkOrder;
    }
    return downsampler_.Downsample(chunks_, &slot->made);
  }

  Status ReadUndeleted(Slot* slot) {
    rewritten_.clear();
    parts_.clear();
    if (!DropDeleted(std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max(), &slot->series)) {
      return Status();
    }
    GN_TRY(ReadPart(slot->series, 0, &rewritten_, &parts_, &slot->fault));
    for (const MergeChunk& part : parts_) chunks_.push_back({part.mint_ms, part.maxt_ms, part.chunk});
    return Status();
  }

  const bool raw_;
  downsample::SeriesDownsampler downsampler_;
  std::vector<downsample::TimedChunk> chunks_;
  std::deque<EncodedChunk> rewritten_;
  std::vector<MergeChunk> parts_;
};

// One block on its way. One thread at a time.
class BlockDownsampler {
 public:
  BlockDownsampler(BlockSource& source, const DownsampleOptions& options, BlockSink& sink, const Cancel& cancel)
      : source_(source), options_(options), sink_(sink), cancel_(cancel) {
    size_t width = options.executor != nullptr ? std::max<size_t>(options.executor->width(), 1) : 1;
    for (size_t i = 0; i < width; ++i) workers_.push_back(std::make_unique<Worker>(options));
  }

  Result<std::optional<BlockMeta>> Run() {
    for (std::string_view symbol;;) {
      GN_ASSIGN(bool more, source_.NextSymbol(cancel_, &symbol));
      if (!more) break;
      GN_TRY(sink_.AddSymbol(symbol));
    }
    for (bool more = true; more;) {
      GN_ASSIGN(more, ReadBatch());
      DownsampleBatch();
      GN_TRY(WriteBatch());
      if (options_.on_progress) options_.on_progress(series_);
    }
    if (sink_.meta().stats.series == 0) return std::optional<BlockMeta>();
    GN_ASSIGN(BlockMeta meta, sink_.Finish(cancel_));
    return std::optional<BlockMeta>(std::move(meta));
  }

  const BlockFault& fault() const { return fault_.kind != FaultKind::kNone ? fault_ : source_.fault(); }

 private:
  // False at the end of the source.
  Result<bool> ReadBatch() {
    used_ = 0;
    for (size_t bytes = 0; bytes < kBatchBytes && used_ < kBatchSeries;) {
      if (used_ == slots_.size()) slots_.emplace_back();
      Slot& slot = slots_[used_];
      GN_ASSIGN(bool more, source_.Next(cancel_, &slot.series));
      if (!more) return false;
      for (const SourceChunk& chunk : slot.series.chunks) bytes += chunk.stored.size();
      ++used_;
    }
    return true;
  }

  void DownsampleBatch() {
    if (options_.executor == nullptr) {
      for (size_t i = 0; i < used_; ++i) workers_[0]->Run(&slots_[i]);
      return;
    }
    // A worker takes every n-th series, so that neighbours, which are alike, go to different ones.
    ParallelFor(*options_.executor, workers_.size(), [&](size_t worker) {
      for (size_t i = worker; i < used_; i += workers_.size()) workers_[worker]->Run(&slots_[i]);
    });
  }

  Status WriteBatch() {
    for (size_t i = 0; i < used_; ++i) {
      Slot& slot = slots_[i];
      if (!slot.status.ok()) {
        std::string series = sink_.LabelText(slot.series.symbols);
        fault_ = {slot.fault, source_.meta().ulid, series};
        return std::move(slot.status).Wrap("series " + series).Wrap("block " + source_.meta().ulid.ToString());
      }
      slot.series.owners.clear();
      ++series_;
      if (slot.made.empty()) continue;
      chunks_.clear();
      for (const EncodedChunk& chunk : slot.made) chunks_.push_back({chunk.mint_ms, chunk.maxt_ms, chunk.view()});
      GN_TRY(sink_.AddSeries(slot.series.symbols, chunks_, cancel_));
    }
    return Status();
  }

  BlockSource& source_;
  const DownsampleOptions& options_;
  BlockSink& sink_;
  const Cancel& cancel_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::deque<Slot> slots_;
  size_t used_ = 0;
  uint64_t series_ = 0;
  std::vector<BlockChunk> chunks_;
  BlockFault fault_;
};

}  // namespace

Result<std::optional<BlockMeta>> DownsampleBlock(BlockSource& source, const DownsampleOptions& options, BlockSink& sink,
                                                 const Cancel& cancel, BlockFault* fault) {
  GN_CHECK(options.from_resolution_ms < options.resolution_ms);
  BlockDownsampler downsampler(source, options, sink, cancel);
  auto result = downsampler.Run();
  if (!result.ok() && fault != nullptr) *fault = downsampler.fault();
  return result;
}

}  // namespace gauntlet::tsdb
