#include "storeapi/store.h"

#include <utility>

namespace gauntlet::storeapi {
namespace {

class KnownStream : public SeriesStream {
 public:
  KnownStream(Status error, std::vector<SeriesBatchPtr> batches)
      : error_(std::move(error)), batches_(std::move(batches)) {}

  Result<SeriesBatchPtr> Next() override {
    if (!error_.ok()) return error_;
    if (next_ == batches_.size()) return SeriesBatchPtr();
    return std::move(batches_[next_++]);
  }

 private:
  Status error_;
  std::vector<SeriesBatchPtr> batches_;
  size_t next_ = 0;
};

}  // namespace

std::unique_ptr<SeriesStream> FailedStream(Status error) {
  return std::make_unique<KnownStream>(std::move(error), std::vector<SeriesBatchPtr>());
}

std::unique_ptr<SeriesStream> BatchStream(std::vector<SeriesBatchPtr> batches) {
  return std::make_unique<KnownStream>(Status(), std::move(batches));
}

}  // namespace gauntlet::storeapi
