// Reading a series:
//   - chunks of all its parts are put in order and exact copies dropped, without decoding;
//   - without deduplication they are decoded one after the other, what overlaps is skipped;
//   - with it they are dealt out to replicas first. `stitch` knows that what one endpoint sends in one stream is one
//     replica's (where its chunks do not overlap); `penalty` and `chain` deal out first-fit, as the original does;
//   - one replica is read as it is. Where `penalty` or `chain` join several for rate, increase or irate, each is first
//     made one rising line, as the original does, so that changing replicas around a restart shows no second one;
//     resets() sees the restarts.

#include "query/replica_series.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "dedup/replicas.h"
#include "tsdb/chunkenc/aggr_chunk.h"
#include "tsdb/chunkenc/chunk.h"

namespace gauntlet::query {
namespace {

using Chunks = std::vector<tsdb::SeriesChunk>;

tsdb::ChunkView ViewOf(const wire::ChunkView& chunk) {
  return {static_cast<tsdb::Encoding>(chunk.encoding), chunk.data};
}

// Joins the aggregates of one time into one chunk.
void AppendChunks(std::span<const wire::ChunkView> views, Chunks* chunks) {
  for (const wire::ChunkView& view : views) {
    if (!view.joined || chunks->empty()) {
      chunks->emplace_back();
      chunks->back().mint_ms = view.min_time_ms;
      chunks->back().maxt_ms = view.max_time_ms;
    }
    if (view.aggregate == wire::Aggregate::kRaw) {
      chunks->back().raw = ViewOf(view);
    } else {
      chunks->back().aggregates.parts[static_cast<size_t>(view.aggregate) - 1] = ViewOf(view);
    }
  }
}

bool Overlap(const Chunks& chunks) {
  for (size_t i = 1; i < chunks.size(); ++i) {
    if (chunks[i].mint_ms <= chunks[i - 1].maxt_ms) return true;
  }
  return false;
}

// Whether replicas that are to be joined are read as rising lines.
bool JoinsRisingLines(const ReadPlan& plan) {
  return plan.algorithm != dedup::Algorithm::kStitch && plan.function != "resets" &&
         dedup::IsCounterFunction(plan.function);
}

// What reads series, with its buffers, kept per thread: neighbouring series are read under the same plan.
struct Machinery : public dedup::ReplicaSource {
  explicit Machinery(const ReadPlan& plan)
      : algorithm(plan.algorithm),
        function(plan.function),
        reading(plan.reading),
        reader(plan.reading),
        joined_reader(plan.reading, JoinsRisingLines(plan) ? downsample::RawCounters::kCorrected
                                                           : downsample::RawCounters::kUnaltered),
        merger(plan.algorithm, plan.function) {}

  // One of the replicas that are joined, of the series going on.
  Status Read(size_t replica, Samples* out) override {
    return joined_reader.Read(replicas[replica], start_ms, end_ms, out);
  }

  const dedup::Algorithm algorithm;
  const std::string function;
  const downsample::Reading reading;
  downsample::ChunkReader reader, joined_reader;
  dedup::ReplicaMerger merger;
  int64_t start_ms = 0, end_ms = 0;
  Chunks chunks;
  dedup::ReplicaLists replicas;
  std::vector<dedup::ReplicaInfo> infos;
};

Machinery& MachineryFor(const ReadPlan& plan) {
  thread_local std::optional<Machinery> cached;
  if (!cached || cached->algorithm != plan.algorithm || cached->function != plan.function ||
      cached->reading != plan.reading) {
    cached.emplace(plan);
  }
  cached->start_ms = plan.start_ms;
  cached->end_ms = plan.end_ms;
  return *cached;
}

// Puts the chunks of parts that may be one replica's into lists that are.
void DealOut(std::span<const storeapi::SeriesPart> parts, dedup::SplitRule rule, Machinery* machinery) {
  Chunks& chunks = machinery->chunks;
  chunks.clear();
  for (const storeapi::SeriesPart& part : parts) AppendChunks(part.chunks(), &chunks);
  dedup::SortAndDropCopies(&chunks);
  if (Overlap(chunks)) {
    machinery->replicas.AddSplit(chunks, rule);
  } else {
    machinery->replicas.Add(chunks);
  }
}

void FindReplicas(std::span<const storeapi::SeriesPart> parts, Machinery* machinery) {
  machinery->replicas.Clear();
  if (machinery->algorithm != dedup::Algorithm::kStitch) {
    DealOut(parts, dedup::SplitRule::kFirstFit, machinery);
    return;
  }
  for (size_t begin = 0, end; begin < parts.size(); begin = end) {
    for (end = begin; end < parts.size() && parts[end].source == parts[begin].source;) ++end;
    DealOut(parts.subspan(begin, end - begin), dedup::SplitRule::kByPhase, machinery);
  }
}

dedup::ReplicaInfo InfoOf(std::span<const tsdb::SeriesChunk> chunks) {
  dedup::ReplicaInfo info;
  if (chunks.empty()) return info;
  info.mint_ms = chunks.front().mint_ms;
  info.maxt_ms = chunks.back().maxt_ms;
  for (const tsdb::SeriesChunk& chunk : chunks) info.samples += chunk.has_raw() ? tsdb::SampleCount(chunk.raw) : 120;
  return info;
}

}  // namespace

ReplicaSeries::ReplicaSeries(std::shared_ptr<const ReadPlan> plan, storeapi::MergedSeries&& merged,
                             MemoryBudget* budget)
    : plan_(std::move(plan)),
      parts_(std::move(merged.parts)),
      labels_(merged.labels),
      bytes_(sizeof(*this) + parts_.size() * sizeof(storeapi::SeriesPart) + labels_.packed().size()),
      charge_(budget, "series of a select") {
  for (const storeapi::SeriesPart& part : parts_) {
    for (const wire::ChunkView& chunk : part.chunks()) bytes_ += sizeof(chunk) + chunk.data.size();
  }
}

Status ReplicaSeries::Charge() { return charge_.Set(bytes_); }

Status ReplicaSeries::Read(Samples* out) const {
  Machinery& machinery = MachineryFor(*plan_);
  if (!plan_->deduplicate) {
    machinery.chunks.clear();
    for (const storeapi::SeriesPart& part : parts_) AppendChunks(part.chunks(), &machinery.chunks);
    dedup::SortAndDropCopies(&machinery.chunks);
    return machinery.reader.Read(machinery.chunks, plan_->start_ms, plan_->end_ms, out);
  }
  FindReplicas(parts_, &machinery);
  if (machinery.replicas.size() == 1)
    return machinery.reader.Read(machinery.replicas[0], plan_->start_ms, plan_->end_ms, out);
  machinery.infos.clear();
  for (size_t r = 0; r < machinery.replicas.size(); ++r) machinery.infos.push_back(InfoOf(machinery.replicas[r]));
  return machinery.merger.Merge(machinery.infos, machinery, out);
}

}  // namespace gauntlet::query
