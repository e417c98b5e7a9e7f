// Workers take some series at a time from the sources, merge them, and write them when it is their turn: what was read
// is still in the processor's cache when it is written, and while one worker reads or writes the others merge.
#include "tsdb/compact/compaction.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "tsdb/compact/series_intake.h"
#include "tsdb/compact/series_merger.h"

namespace gauntlet::tsdb {
namespace {

// So much at a time as fits the cache of a core, with what it becomes.
constexpr size_t kBatchSeriesMax = 256, kBatchBytesMax = 384 << 10;
constexpr uint64_t kProgressEvery = 1024;

struct Job {
  TakenSeries taken;
  MergedChunks merged;
  Status status;
  MergeFault fault;
};

// Thread-safe.
class Compactor {
 public:
  Compactor(std::span<const std::unique_ptr<BlockSource>> sources, const CompactOptions& options, BlockSink& sink,
            const Cancel& cancel)
      : options_(options),
        cancel_(cancel),
        width_(options.executor == nullptr ? 1 : std::max<size_t>(1, options.executor->width())),
        maps_charge_(options.budget, "symbols of a compaction"),
        intake_(sources, sink, cancel),
        sink_(sink),
        turns_(width_) {}

  // Once.
  Result<std::optional<BlockMeta>> Run();
  const BlockFault& fault() const { return fault_; }

 private:
  // Series that one worker holds at a time.
  struct Batch {
    Batch(const CompactOptions& options) : merger(options), charge(options.budget, "series of a compaction") {}

    SeriesMerger merger;
    std::vector<Job> jobs;
    size_t count = 0;
    uint64_t number = 0;  // batches are written in this order
    Status status;        // of taking them
    MemoryCharge charge;
  };

  void Work();
  // False when there is nothing left to take.
  bool Take(Batch* batch);
  static void Merge(Batch* batch);
  // Waits for the batch's turn and writes it; after an error nothing is written any more.
  void WriteInTurn(Batch* batch);
  Status Write(Batch* batch) GN_REQUIRES(write_mutex_);

  const CompactOptions& options_;
  const Cancel& cancel_;
  const size_t width_;
  MemoryCharge maps_charge_;
  Mutex take_mutex_;
  SeriesIntake intake_;  // under take_mutex_ while workers run
  uint64_t batches_ GN_GUARDED_BY(take_mutex_) = 0;
  std::atomic<bool> ended_{false};  // nothing more is taken
  Mutex write_mutex_;
  BlockSink& sink_;             // under write_mutex_ while workers run, but for its symbols
  std::vector<CondVar> turns_;  // of batch n: n % width_, since no more are on their way
  uint64_t turn_ GN_GUARDED_BY(write_mutex_) = 0;
  Status result_ GN_GUARDED_BY(write_mutex_);
  BlockFault fault_;  // set with result_
};

bool Compactor::Take(Batch* batch) {
  MutexLock lock(take_mutex_);
  if (ended_ || intake_.empty()) return false;
  batch->number = batches_++;
  batch->count = 0;
  size_t bytes = 0;
  while (batch->status.ok() && batch->count < kBatchSeriesMax && bytes < kBatchBytesMax && !intake_.empty()) {
    if (batch->count == batch->jobs.size()) batch->jobs.emplace_back();
    batch->status = intake_.Take(&batch->jobs[batch->count++].taken, &bytes);
  }
  if (batch->status.ok()) batch->status = batch->charge.Set(2 * bytes);
  if (!batch->status.ok()) ended_ = true;
  return true;
}

void Compactor::Merge(Batch* batch) {
  if (!batch->status.ok()) return;
  for (size_t i = 0; i < batch->count; ++i) {
    Job& job = batch->jobs[i];
    job.fault = {};
    job.status = batch->merger.Merge(job.taken.all(), job.taken.sources, &job.merged, &job.fault);
  }
}

Status Compactor::Write(Batch* batch) {
  if (!batch->status.ok()) {
    fault_ = intake_.fault();
    return std::move(batch->status);
  }
  for (size_t i = 0; i < batch->count; ++i) {
    Job& job = batch->jobs[i];
    if (!job.status.ok()) {
      return intake_.Blame(job.fault.kind, job.taken.sources.empty() ? 0 : job.fault.source, std::move(job.status),
                           job.taken.labels, &fault_);
    }
    if (!job.merged.chunks.empty()) GN_TRY(sink_.AddSeries(job.taken.labels, job.merged.chunks, cancel_));
    job.taken.Clear();
    job.merged.Clear();
    uint64_t series = sink_.meta().stats.series;
    if (options_.on_progress && series % kProgressEvery == 0) options_.on_progress(series);
  }
  return Status();
}

void Compactor::WriteInTurn(Batch* batch) {
  MutexLock lock(write_mutex_);
  while (turn_ != batch->number) turns_[batch->number % width_].Wait(write_mutex_);
  if (result_.ok()) {
    result_ = Write(batch);
    if (!result_.ok()) ended_ = true;
  }
  ++turn_;
  turns_[turn_ % width_].NotifyAll();
}

void Compactor::Work() {
  Batch batch(options_);
  while (Take(&batch)) {
    Merge(&batch);
    WriteInTurn(&batch);
  }
}

Result<std::optional<BlockMeta>> Compactor::Run() {
  if (Status started = intake_.Start(); !started.ok()) {
    fault_ = intake_.fault();
    return started;
  }
  GN_TRY(maps_charge_.Set(intake_.memory_bytes()));
  if (width_ == 1) {
    Work();
  } else {
    ParallelFor(*options_.executor, width_, [this](size_t) { Work(); });
  }
  {
    MutexLock lock(write_mutex_);
    GN_TRY(std::move(result_));
  }
  if (sink_.meta().stats.samples == 0) return std::optional<BlockMeta>();
  GN_ASSIGN(BlockMeta meta, sink_.Finish(cancel_));
  return std::optional<BlockMeta>(std::move(meta));
}

}  // namespace

Result<std::optional<BlockMeta>> CompactBlocks(std::span<const std::unique_ptr<BlockSource>> sources,
                                               const CompactOptions& options, BlockSink& sink, const Cancel& cancel,
                                               BlockFault* fault) {
  if (fault != nullptr) *fault = {};
  if (sources.empty()) return std::optional<BlockMeta>();
  Compactor compactor(sources, options, sink, cancel);
  auto meta = compactor.Run();
  if (!meta.ok() && fault != nullptr) *fault = compactor.fault();
  return meta;
}

}  // namespace gauntlet::tsdb
