#include "store/block_series.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "store/chunk_fetch.h"

namespace gauntlet::store {
namespace {

constexpr size_t kBatchSeries = 1024;
constexpr size_t kUsualChunkBytes = 200;  // to guess how much a fetch will bring

class BlockSeriesStream : public storeapi::SeriesStream {
 public:
  BlockSeriesStream(BucketBlockPtr block, Matchers matchers, std::shared_ptr<BlockRequest> request,
                    const Cancel& cancel)
      : block_(std::move(block)),
        fetch_bytes_(request->fetch_bytes),
        charge_(request->memory.get(), "series of a block"),
        walk_(*block_, std::move(matchers), request, cancel),
        fetch_(*block_, std::move(request), cancel) {}

  Result<storeapi::SeriesBatchPtr> Next() override {
    if (next_ == selected_.size()) {
      selected_.clear();
      next_ = 0;
      GN_ASSIGN(bool more, walk_.Next(&selected_));
      if (!more) return storeapi::SeriesBatchPtr();
      size_t held = 0;
      for (const SelectedSeries& one : selected_) held += one.memory_bytes();
      GN_TRY(charge_.Set(held));
    }
    size_t end = next_, bytes = 0;
    while (end < selected_.size() && end - next_ < kBatchSeries && bytes < fetch_bytes_) {
      bytes += selected_[end++].chunks.size() * kUsualChunkBytes;
    }
    auto series = std::span(selected_).subspan(next_, end - next_);
    next_ = end;
    return fetch_.Fetch(series);
  }

 private:
  const BucketBlockPtr block_;
  const uint64_t fetch_bytes_;
  MemoryCharge charge_;
  SeriesWalk walk_;
  ChunkFetch fetch_;
  std::vector<SelectedSeries> selected_;
  size_t next_ = 0;
};

}  // namespace

std::unique_ptr<storeapi::SeriesStream> BlockSeries(BucketBlockPtr block, Matchers matchers,
                                                    std::shared_ptr<BlockRequest> request, const Cancel& cancel) {
  return std::make_unique<BlockSeriesStream>(std::move(block), std::move(matchers), std::move(request), cancel);
}

}  // namespace gauntlet::store
