// SeriesWalk: the series of one block that a request selects, in the order of their final labels, without their chunks.
//
// Upstream: thanos pkg/store/bucket.go (blockSeriesClient)
// Threads:  one thread at a time.

#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/memory_budget.h"
#include "store/bucket_block.h"
#include "storeapi/external_labels.h"
#include "storeapi/request.h"
#include "storeapi/shard_filter.h"
#include "storeapi/sort_window.h"
#include "tsdb/index/series.h"

namespace gauntlet::store {

// Items of one kind that a call looked at, and of these the ones that came from the bucket.
struct DataCounts {
  std::atomic<uint64_t> touched{0}, touched_bytes{0}, fetched{0}, fetched_bytes{0};
};

// What the blocks of one call share. Immutable, but for its limit and its counts.
struct BlockRequest {
  BlockRequest(const storeapi::SeriesRequest& request, uint64_t download_bytes_max)
      : series(request), download(download_bytes_max) {}
  storeapi::SeriesRequest series;  // times clipped to what the gateway serves
  DownloadLimit download;
  std::shared_ptr<MemoryBudget> memory;  // of the call; may be null
  uint64_t fetch_bytes = 1 << 20;        // that a block reads at a time
  DataCounts postings, entries, chunks;
};

struct SelectedSeries {
  Labels labels;                        // final ones
  std::vector<tsdb::ChunkMeta> chunks;  // that overlap the request's time
  size_t memory_bytes() const { return sizeof(*this) + labels.memory_bytes() + chunks.capacity() * sizeof(chunks[0]); }
};

class SeriesWalk {
 public:
  // `matchers`: without those on external labels. Borrows the block; shares the request.
  SeriesWalk(const BucketBlock& block, Matchers matchers, std::shared_ptr<BlockRequest> request, const Cancel& cancel);

  // Appends the next ones; false at the end. Equal label sets may follow each other.
  Result<bool> Next(std::vector<SelectedSeries>* out);

 private:
  using Window = storeapi::SortWindow<std::vector<tsdb::ChunkMeta>>;

  Status Start();
  // The ids that the matchers select.
  Status Select();
  // Reads the next entries of the index.
  Status Load(std::vector<SelectedSeries>* out);
  Status LoadAllSorted(std::vector<SelectedSeries>* out);
  // The entry of `id`, alone, from the bucket.
  Status TakeAgain(uint32_t id, std::vector<SelectedSeries>* out);
  // The entry of `id`, read again where its length was underestimated.
  Result<std::string_view> EntryOf(uint32_t id, std::string_view bytes);
  Status Take(std::string_view entry, std::vector<SelectedSeries>* out);
  Status Give(Labels labels, std::vector<tsdb::ChunkMeta> chunks, std::vector<SelectedSeries>* out);

  const BucketBlock& block_;
  const Matchers matchers_;
  Matchers later_;  // tried on each series, where their postings were not worth reading
  const std::shared_ptr<BlockRequest> request_;
  const Cancel cancel_;
  RangedReader reader_;
  storeapi::LabelRewriter rewriter_;
  storeapi::ShardFilter shard_;
  MemoryCharge charge_;
  bool started_ = false, sort_ = false;
  IndexTables tables_;
  std::optional<tsdb::SeriesDecoder> decoder_;
  std::vector<uint32_t> ids_;
  size_t next_ = 0;  // in ids_
  tsdb::SeriesEntry entry_;
  std::string packed_, longer_;
  Window window_;
  std::vector<Window::Item> released_;
};

}  // namespace gauntlet::store
