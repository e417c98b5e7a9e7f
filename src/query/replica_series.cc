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
#include "downsample/chunk_reader.h"
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

// The lists of chunks that are one replica each.
std::vector<Chunks> DealOut(const ReadPlan& plan, std::span<const storeapi::SeriesPart> parts) {
  std::vector<Chunks> replicas;
  auto split = [&](Chunks&& chunks, dedup::SplitRule rule) {
    if (!Overlap(chunks)) {
      replicas.push_back(std::move(chunks));
      return;
    }
    for (const auto& indices : dedup::SplitReplicas(chunks, rule)) {
      replicas.emplace_back();
      for (uint32_t i : indices) replicas.back().push_back(chunks[i]);
    }
  };
  if (plan.algorithm == dedup::Algorithm::kStitch) {
    for (size_t begin = 0, end; begin < parts.size(); begin = end) {
      Chunks chunks;
      for (end = begin; end < parts.size() && parts[end].source == parts[begin].source; ++end)
        AppendChunks(parts[end].chunks(), &chunks);
      dedup::SortAndDropCopies(&chunks);
      split(std::move(chunks), dedup::SplitRule::kByPhase);
    }
    return replicas;
  }
  Chunks chunks;
  for (const storeapi::SeriesPart& part : parts) AppendChunks(part.chunks(), &chunks);
  dedup::SortAndDropCopies(&chunks);
  split(std::move(chunks), dedup::SplitRule::kFirstFit);
  return replicas;
}

class ChunkReplicas : public dedup::ReplicaSource {
 public:
  ChunkReplicas(const ReadPlan& plan, downsample::ChunkReader& reader, std::span<const Chunks> replicas)
      : plan_(plan), reader_(reader), replicas_(replicas) {}
  Status Read(size_t replica, Samples* out) override {
    return reader_.Read(replicas_[replica], plan_.start_ms, plan_.end_ms, out);
  }

 private:
  const ReadPlan& plan_;
  downsample::ChunkReader& reader_;
  std::span<const Chunks> replicas_;
};

// A reader and a merger with their buffers, kept per thread: neighbouring series are read under the same plan.
struct Machinery {
  explicit Machinery(const ReadPlan& plan)
      : algorithm(plan.algorithm),
        function(plan.function),
        reader(downsample::ReadingFor(plan.function)),
        rising_reader(downsample::ReadingFor(plan.function), downsample::RawCounters::kCorrected),
        merger(plan.algorithm, plan.function) {}
  const dedup::Algorithm algorithm;
  const std::string function;
  downsample::ChunkReader reader, rising_reader;
  dedup::ReplicaMerger merger;
};

// Whether replicas that are to be joined are read as rising lines.
bool JoinsRisingLines(const ReadPlan& plan) {
  return plan.algorithm != dedup::Algorithm::kStitch && plan.function != "resets" &&
         dedup::IsCounterFunction(plan.function);
}

Machinery& MachineryFor(const ReadPlan& plan) {
  thread_local std::optional<Machinery> cached;
  if (!cached || cached->algorithm != plan.algorithm || cached->function != plan.function) cached.emplace(plan);
  return *cached;
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
    Chunks chunks;
    for (const storeapi::SeriesPart& part : parts_) AppendChunks(part.chunks(), &chunks);
    dedup::SortAndDropCopies(&chunks);
    return machinery.reader.Read(chunks, plan_->start_ms, plan_->end_ms, out);
  }
  std::vector<Chunks> replicas = DealOut(*plan_, parts_);
  if (replicas.size() == 1) return machinery.reader.Read(replicas[0], plan_->start_ms, plan_->end_ms, out);
  std::vector<dedup::ReplicaInfo> infos;
  for (const Chunks& chunks : replicas) {
    dedup::ReplicaInfo info;
    if (!chunks.empty()) {
      info.mint_ms = chunks.front().mint_ms;
      info.maxt_ms = chunks.back().maxt_ms;
    }
    for (const tsdb::SeriesChunk& chunk : chunks) info.samples += chunk.has_raw() ? tsdb::SampleCount(chunk.raw) : 120;
    infos.push_back(info);
  }
  ChunkReplicas source(*plan_, JoinsRisingLines(*plan_) ? machinery.rising_reader : machinery.reader, replicas);
  return machinery.merger.Merge(infos, source, out);
}

}  // namespace gauntlet::query
