// An external label moves a series only behind its own extensions, which a small window mends. Where a label of the
// series themselves is dropped or overridden, all labels of the selection are sorted before the first chunk is read.

#include "store/series_walk.h"

#include <algorithm>
#include <utility>

#include "store/block_postings.h"
#include "tsdb/index/matching.h"
#include "tsdb/index/toc.h"

namespace gauntlet::store {
namespace {

constexpr size_t kEntryBytesMax = 64 << 20;

}  // namespace

SeriesWalk::SeriesWalk(const BucketBlock& block, Matchers matchers, std::shared_ptr<BlockRequest> request,
                       const Cancel& cancel)
    : block_(block),
      matchers_(std::move(matchers)),
      request_(std::move(request)),
      cancel_(cancel),
      reader_(*block.environment().bucket, *block.environment().executor, block.environment().habits,
              &request_->download),
      rewriter_(block.facts().external, request_->series.without_replica_labels),
      shard_(request_->series.shard),
      charge_(request_->memory.get(), "series of a block") {}

Status SeriesWalk::Start() {
  started_ = true;
  GN_ASSIGN(tables_, block_.Tables(cancel_));
  decoder_.emplace(*tables_.symbols);
  GN_TRY(Select());
  for (const std::string& name : rewriter_.names_that_break_order()) {
    sort_ = sort_ || tables_.postings->value_count(name) > 0;
  }
  return charge_.Set(ids_.capacity() * sizeof(ids_[0]));
}

Status SeriesWalk::Select() {
  IndexCache* cache = block_.environment().cache;
  if (cache != nullptr) {
    if (auto ids = cache->Expanded(block_.facts().ulid, matchers_, cancel_); ids) {
      ids_ = *std::move(ids);
      return Status();
    }
  }
  BlockPostings postings(block_, *request_, cancel_);
  GN_ASSIGN(tsdb::PostingsPlan plan, tsdb::PlanPostings(*tables_.postings, matchers_, cancel_));
  LazyPostingsOptions lazy = block_.environment().lazy;
  if (uint64_t known = block_.facts().series_bytes_max; known > 0)
    lazy.series_bytes = std::min(lazy.series_bytes, known);
  PostponedPostings postponed = PostponeCostly(lazy, matchers_, &plan);
  GN_ASSIGN(tsdb::PostingsCursorPtr cursor, tsdb::RunPlan(plan, postings));
  ids_ = tsdb::DrainPostings(*cursor);
  ReadMetrics* metrics = block_.environment().metrics;
  if (metrics != nullptr && ids_.empty()) metrics->empty_postings.Add();
  later_ = std::move(postponed.matchers);
  if (later_.empty()) {
    if (cache != nullptr) cache->PutExpanded(block_.facts().ulid, matchers_, ids_);
  } else if (metrics != nullptr) {
    metrics->lazy_postings.Add();
    metrics->lazy_bytes.Add(static_cast<double>(postponed.list_bytes));
    metrics->lazy_by_size.Add(postponed.by_size);
    metrics->lazy_by_keys.Add(postponed.by_keys);
  }
  return Status();
}

Result<bool> SeriesWalk::Next(std::vector<SelectedSeries>* out) {
  if (!started_) GN_TRY(Start());
  if (sort_) {
    if (next_ == ids_.size()) return false;
    GN_TRY(LoadAllSorted(out));
    return true;
  }
  size_t before = out->size();
  while (out->size() == before && next_ < ids_.size()) {
    GN_TRY(cancel_.status());
    GN_TRY(Load(out));
    if (next_ < ids_.size()) continue;
    window_.Flush(&released_);
    for (Window::Item& item : released_) out->push_back({std::move(item.labels), std::move(item.payload)});
    released_.clear();
  }
  return out->size() > before;
}

Status SeriesWalk::LoadAllSorted(std::vector<SelectedSeries>* out) {
  size_t before = out->size(), charged = charge_.bytes();
  while (next_ < ids_.size()) {
    GN_TRY(cancel_.status());
    size_t from = out->size();
    GN_TRY(Load(out));
    for (size_t i = from; i < out->size(); ++i) {
      charged += (*out)[i].memory_bytes();
    }
    GN_TRY(charge_.Set(charged));
  }
  std::stable_sort(out->begin() + static_cast<std::ptrdiff_t>(before), out->end(),
                   [](const SelectedSeries& a, const SelectedSeries& b) { return a.labels < b.labels; });
  return Status();
}

Status SeriesWalk::Load(std::vector<SelectedSeries>* out) {
  const ReadHabits& habits = block_.environment().habits;
  size_t begin = next_, end = begin;
  std::vector<ByteRange> ranges;
  uint64_t bytes = 0;
  for (; end < ids_.size() && end - begin < habits.series_entries && bytes < request_->fetch_bytes; ++end) {
    ByteRange range;
    range.begin = tsdb::SeriesOffset(tables_.index_version, ids_[end]);
    range.end = range.begin + habits.series_entry_estimate;
    if (end + 1 < ids_.size()) {
      range.end = std::min(range.end, tsdb::SeriesOffset(tables_.index_version, ids_[end + 1]));
    }
    bytes += range.end - range.begin;
    ranges.push_back(range);
  }
  next_ = end;
  IndexCache* cache = block_.environment().cache;
  bool cached = cache != nullptr && cache->keeps_series();
  std::vector<CachedBytes> found;
  if (cached) {
    std::vector<uint64_t> offsets;
    for (size_t i = begin; i < end; ++i) offsets.push_back(tsdb::SeriesOffset(tables_.index_version, ids_[i]));
    found = cache->Series(block_.facts().ulid, offsets, cancel_);
    size_t kept = 0;
    for (size_t i = 0; i < ranges.size(); ++i) {
      if (i >= found.size() || found[i] == nullptr) ranges[kept++] = ranges[i];
    }
    ranges.resize(kept);
  }
  RangedBytes entries;
  if (!ranges.empty()) {
    ReadMetrics* metrics = block_.environment().metrics;
    FetchTimer timer(metrics == nullptr ? nullptr : &metrics->series_seconds);
    GN_TRY(reader_.Read(block_.index_object(), ranges, "series", cancel_, &entries));
  }
  request_->entries.touched.fetch_add(end - begin, std::memory_order_relaxed);
  request_->entries.fetched.fetch_add(ranges.size(), std::memory_order_relaxed);
  request_->entries.fetched_bytes.fetch_add(entries.memory_bytes(), std::memory_order_relaxed);
  for (size_t i = begin; i < end; ++i) {
    if (i - begin < found.size() && found[i - begin] != nullptr) {
      // What a cache holds may be damaged: then the bucket is asked.
      if (!Take(*found[i - begin], out).ok()) GN_TRY(TakeAgain(ids_[i], out));
      continue;
    }
    uint64_t offset = tsdb::SeriesOffset(tables_.index_version, ids_[i]);
    GN_ASSIGN(std::string_view entry, EntryOf(ids_[i], entries.From(offset)));
    GN_TRY(Take(entry, out));
    if (cached) cache->PutSeries(block_.facts().ulid, offset, entry);
  }
  return Status();
}

Status SeriesWalk::TakeAgain(uint32_t id, std::vector<SelectedSeries>* out) {
  uint64_t offset = tsdb::SeriesOffset(tables_.index_version, id);
  RangedBytes bytes;
  GN_TRY(reader_.Read(block_.index_object(), {{offset, offset + block_.environment().habits.series_entry_estimate}},
                      "series", cancel_, &bytes));
  GN_ASSIGN(std::string_view entry, EntryOf(id, bytes.From(offset)));
  return Take(entry, out);
}

Result<std::string_view> SeriesWalk::EntryOf(uint32_t id, std::string_view bytes) {
  uint64_t size = tsdb::SeriesEntryBytes(bytes);
  if (size != 0 && size <= bytes.size()) return bytes.substr(0, size);
  uint64_t offset = tsdb::SeriesOffset(tables_.index_version, id);
  if (size == 0 || size > kEntryBytesMax) {
    return Status(Code::kCorrupt, "no series entry at byte " + std::to_string(offset) + " of " + block_.index_object());
  }
  if (block_.environment().metrics != nullptr) block_.environment().metrics->series_refetches.Add();
  RangedBytes again;
  GN_TRY(reader_.Read(block_.index_object(), {{offset, offset + size}}, "series", cancel_, &again));
  longer_ = std::move(again).Release();
  return std::string_view(longer_);
}

Status SeriesWalk::Take(std::string_view entry, std::vector<SelectedSeries>* out) {
  const storeapi::SeriesRequest& request = request_->series;
  Status decoded = decoder_->DecodeOverlapping(entry, request.min_time_ms, request.max_time_ms, &entry_);
  if (!decoded.ok()) return decoded.Wrap("series of " + block_.index_object());
  if (entry_.chunks.empty()) return Status();
  if (!later_.empty() && !MatchesAll(later_, entry_.labels())) {
    if (ReadMetrics* metrics = block_.environment().metrics; metrics != nullptr)
      metrics->lazy_overfetched_bytes.Add(static_cast<double>(entry.size()));
    return Status();
  }
  rewriter_.Rewrite(entry_.labels(), &packed_);
  if (!shard_.Matches(LabelsView(packed_))) return Status();
  std::vector<tsdb::ChunkMeta> chunks;
  if (!request.skip_chunks) chunks = entry_.chunks;
  return Give(Labels(LabelsView(packed_)), std::move(chunks), out);
}

Status SeriesWalk::Give(Labels labels, std::vector<tsdb::ChunkMeta> chunks, std::vector<SelectedSeries>* out) {
  if (sort_) {
    out->push_back({std::move(labels), std::move(chunks)});
    return Status();
  }
  GN_TRY(window_.Push({std::move(labels), std::move(chunks)}, &released_));
  for (Window::Item& item : released_) out->push_back({std::move(item.labels), std::move(item.payload)});
  released_.clear();
  return Status();
}

}  // namespace gauntlet::store
