#include "store/block_merge.h"

#include <utility>

#include "storeapi/chunk_union.h"
#include "storeapi/merge.h"

namespace gauntlet::store {
namespace {

constexpr size_t kBatchSeries = 64;

bool IsFaultOfRequest(Code code) {
  return code == Code::kInvalid || code == Code::kUnsupported || code == Code::kExhausted || code == Code::kCancelled ||
         code == Code::kDeadline;
}

class MergedBlocks : public storeapi::SeriesStream {
 public:
  MergedBlocks(std::vector<std::string> ids, std::vector<std::unique_ptr<storeapi::SeriesStream>> streams, bool abort,
               int64_t limit)
      : ids_(std::move(ids)),
        abort_(abort),
        limit_(limit),
        merge_(std::move(streams), [this](uint32_t i, const Status& st) { return OnEnd(i, st); }) {}

  Result<storeapi::SeriesBatchPtr> Next() override {
    auto batch = std::make_shared<storeapi::SeriesBatch>();
    while (batch->size() < kBatchSeries && (limit_ <= 0 || given_ < limit_)) {
      GN_ASSIGN(bool more, merge_.Next(&series_));
      if (!more) break;
      batch->Add(series_.labels, union_.Of(series_.parts));
      for (storeapi::SeriesPart& part : series_.parts) batch->KeepAlive(std::move(part.batch));
      ++given_;
    }
    if (batch->size() == 0) return storeapi::SeriesBatchPtr();
    return storeapi::SeriesBatchPtr(std::move(batch));
  }

  std::vector<std::string> TakeWarnings() override { return std::exchange(warnings_, {}); }

 private:
  Status OnEnd(uint32_t source, const Status& status) {
    if (status.ok()) return Status();
    Status told = Status(status).Wrap("receive series from " + ids_[source]);
    if (abort_ || IsFaultOfRequest(status.code())) return told;
    warnings_.emplace_back(told.message());
    return Status();
  }

  const std::vector<std::string> ids_;
  const bool abort_;
  const int64_t limit_;
  storeapi::SeriesMerge merge_;
  storeapi::MergedSeries series_;
  storeapi::ChunkUnion union_;
  std::vector<std::string> warnings_;
  int64_t given_ = 0;
};

}  // namespace

std::unique_ptr<storeapi::SeriesStream> MergeBlocks(std::vector<BlockStream> blocks, bool abort, int64_t limit) {
  std::vector<std::string> ids;
  std::vector<std::unique_ptr<storeapi::SeriesStream>> streams;
  for (BlockStream& block : blocks) {
    ids.push_back(std::move(block.id));
    streams.push_back(std::move(block.series));
  }
  return std::make_unique<MergedBlocks>(std::move(ids), std::move(streams), abort, limit);
}

}  // namespace gauntlet::store
