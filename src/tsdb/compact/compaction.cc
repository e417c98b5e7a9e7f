// Series are met in the order of a heap over the sources that moves as upstream's does, since the order in which equal
// series of several blocks are met decides which sample counts where their chunks overlap. Some series at a time are
// taken from the sources, merged side by side, and written in their order.
#include "tsdb/compact/compaction.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "tsdb/compact/go_heap.h"
#include "tsdb/compact/part.h"
#include "tsdb/compact/series_merger.h"
#include "tsdb/compact/symbol_merge.h"

namespace gauntlet::tsdb {
namespace {

constexpr size_t kBatchSeriesMax = 512, kBatchBytesMax = 4 << 20;
constexpr uint64_t kProgressEvery = 1024;

// A source and the series it stands on. One thread at a time.
struct Cursor {
  BlockSource* source = nullptr;
  const std::vector<uint32_t>* numbers = nullptr;  // of the sink, by those of the source
  bool started = false;
  std::vector<uint32_t> labels;  // by numbers of the sink
  SourceSeries series;
};

// A series of the new block. Reused, so that its buffers are allocated once.
struct Job {
  std::vector<uint32_t> labels;
  size_t parts_used = 0;
  std::vector<SourceSeries> parts;
  std::vector<uint32_t> sources;
  MergedChunks merged;
  Status status;
  MergeFault fault;
};

// One thread at a time.
class Compactor {
 public:
  Compactor(std::span<const std::unique_ptr<BlockSource>> sources, const CompactOptions& options, BlockSink& sink,
            const Cancel& cancel)
      : sources_(sources),
        options_(options),
        sink_(sink),
        cancel_(cancel),
        heap_(LabelsBefore{&cursors_}),
        maps_charge_(options.budget, "symbols of a compaction"),
        batch_charge_(options.budget, "series of a compaction") {}

  Result<std::optional<BlockMeta>> Run();
  const BlockFault& fault() const { return fault_; }

 private:
  struct LabelsBefore {
    const std::vector<Cursor>* cursors;
    bool operator()(size_t a, size_t b) const {
      return std::ranges::lexicographical_compare((*cursors)[a].labels, (*cursors)[b].labels);
    }
  };

  Status Start();
  // To the next series of the source of which anything is left; false at the end.
  Result<bool> Advance(size_t cursor);
  // Takes the next series from all sources that have it. REQUIRES: the heap is not empty.
  Status Take(Job& job, size_t* bytes);
  void MergeBatch(size_t count);
  Status WriteBatch(size_t count);
  // For an error of the source itself, which names the block already.
  Status BlameSource(size_t source, Status status);
  Status Blame(FaultKind kind, size_t source, Status status, std::span<const uint32_t> labels);

  std::span<const std::unique_ptr<BlockSource>> sources_;
  const CompactOptions& options_;
  BlockSink& sink_;
  const Cancel& cancel_;
  SymbolMaps maps_;
  std::vector<Cursor> cursors_;
  GoHeap<size_t, LabelsBefore> heap_;
  std::vector<size_t> popped_;
  std::vector<Job> jobs_;
  std::vector<SeriesMerger> mergers_;
  std::vector<BlockChunk> chunks_;
  BlockFault fault_;
  MemoryCharge maps_charge_, batch_charge_;
};

Status Compactor::Blame(FaultKind kind, size_t source, Status status, std::span<const uint32_t> labels) {
  const Ulid& block = sources_[source]->meta().ulid;
  fault_ = {kind, block, labels.empty() ? "" : sink_.LabelText(labels)};
  if (!fault_.series.empty()) status.Wrap(fmt::format("series {}", fault_.series));
  return std::move(status.Wrap(fmt::format("block {}", block.ToString())));
}

Status Compactor::BlameSource(size_t source, Status status) {
  fault_ = sources_[source]->fault();
  const std::vector<uint32_t>& symbols = cursors_[source].series.symbols;
  if (fault_.kind == FaultKind::kNone || !fault_.series.empty() || symbols.empty()) return status;
  std::vector<uint32_t> labels;
  for (uint32_t symbol : symbols) {
    if (symbol >= cursors_[source].numbers->size()) return status;
    labels.push_back((*cursors_[source].numbers)[symbol]);
  }
  fault_.series = sink_.LabelText(labels);
  return std::move(status.Wrap(fmt::format("series {}", fault_.series)));
}

Status Compactor::Start() {
  size_t failed = 0;
  auto maps = SymbolMaps::Merge(sources_, sink_, cancel_, &failed);
  if (!maps.ok()) {
    fault_ = sources_[failed]->fault();
    if (fault_.kind == FaultKind::kNone && maps.status().code() == Code::kInvalid) {
      // Its symbols do not ascend.
      return Blame(FaultKind::kIndex, failed, Status(Code::kCorrupt, std::string(maps.status().message())), {});
    }
    return maps.status();
  }
  maps_ = *std::move(maps);
  GN_TRY(maps_charge_.Set(maps_.memory_bytes()));
  cursors_.resize(sources_.size());
  for (size_t i = 0; i < cursors_.size(); ++i) {
    cursors_[i].source = sources_[i].get();
    cursors_[i].numbers = &maps_.of(i);
    GN_ASSIGN(bool more, Advance(i));
    if (more) heap_.Push(i);
  }
  return Status();
}

Result<bool> Compactor::Advance(size_t i) {
  Cursor& cursor = cursors_[i];
  std::vector<uint32_t> last;
  for (;;) {
    auto more = cursor.source->Next(cancel_, &cursor.series);
    if (!more.ok()) return BlameSource(i, more.status());
    if (!*more) return false;
    last.swap(cursor.labels);
    cursor.labels.clear();
    for (uint32_t symbol : cursor.series.symbols) {
      if (symbol >= cursor.numbers->size()) {
        return Blame(FaultKind::kIndex, i, Status(Code::kCorrupt, "a series names a symbol that is not there"), {});
      }
      cursor.labels.push_back((*cursor.numbers)[symbol]);
    }
    if (cursor.started && !std::ranges::lexicographical_compare(last, cursor.labels)) {
      return Blame(FaultKind::kSeriesOrder, i, Status(Code::kCorrupt, "it is not behind the series before it"),
                   cursor.labels);
    }
    cursor.started = true;
    if (DropDeleted(sink_.meta().mint_ms, sink_.meta().maxt_ms - 1, &cursor.series)) return true;
  }
}

Status Compactor::Take(Job& job, size_t* bytes) {
  job.labels = cursors_[heap_.top()].labels;
  job.parts_used = 0;
  job.sources.clear();
  popped_.clear();
  while (!heap_.empty() && cursors_[heap_.top()].labels == job.labels) {
    size_t i = heap_.Pop();
    popped_.push_back(i);
    if (job.parts_used == job.parts.size()) job.parts.emplace_back();
    SourceSeries& part = job.parts[job.parts_used++];
    std::swap(part, cursors_[i].series);
    job.sources.push_back(static_cast<uint32_t>(i));
    for (const SourceChunk& chunk : part.chunks) *bytes += chunk.stored.size();
  }
  for (size_t i : popped_) {
    GN_ASSIGN(bool more, Advance(i));
    if (more) heap_.Push(i);
  }
  return Status();
}

void Compactor::MergeBatch(size_t count) {
  size_t width = mergers_.size();
  auto merge = [&](size_t slice) {
    for (size_t i = slice; i < count; i += width) {
      Job& job = jobs_[i];
      job.fault = {};
      job.status =
          mergers_[slice].Merge(std::span(job.parts).first(job.parts_used), job.sources, &job.merged, &job.fault);
    }
  };
  if (width == 1) {
    merge(0);
  } else {
    ParallelFor(*options_.executor, width, merge);
  }
}

Status Compactor::WriteBatch(size_t count) {
  for (size_t i = 0; i < count; ++i) {
    Job& job = jobs_[i];
    if (!job.status.ok()) {
      return Blame(job.fault.kind, job.sources.empty() ? 0 : job.fault.source, std::move(job.status), job.labels);
    }
    chunks_.assign(job.merged.chunks.begin(), job.merged.chunks.end());
    if (!chunks_.empty()) GN_TRY(sink_.AddSeries(job.labels, chunks_, cancel_));
    for (size_t part = 0; part < job.parts_used; ++part) job.parts[part].Clear();
    job.merged.Clear();
    uint64_t series = sink_.meta().stats.series;
    if (options_.on_progress && series % kProgressEvery == 0) options_.on_progress(series);
  }
  return Status();
}

Result<std::optional<BlockMeta>> Compactor::Run() {
  GN_TRY(Start());
  size_t width = options_.executor == nullptr ? 1 : std::max<size_t>(1, options_.executor->width());
  for (size_t i = 0; i < width; ++i) mergers_.emplace_back(options_);
  jobs_.resize(width == 1 ? 1 : kBatchSeriesMax);
  while (!heap_.empty()) {
    size_t count = 0, bytes = 0;
    while (count < jobs_.size() && bytes < kBatchBytesMax && !heap_.empty()) GN_TRY(Take(jobs_[count++], &bytes));
    GN_TRY(batch_charge_.Set(2 * bytes));
    MergeBatch(count);
    GN_TRY(WriteBatch(count));
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
