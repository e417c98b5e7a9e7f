// FakeStore: a Store for tests, with known series and faults.
//
// Threads: thread-safe once set up.

#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "storeapi/endpoint.h"
#include "storeapi/store.h"

namespace gauntlet::storeapi {

struct FakeSeries {
  Labels labels;
  std::vector<std::pair<int64_t, std::string>> chunks;  // start time (end is +1) and bytes
};

class FakeStore : public Store {
 public:
  explicit FakeStore(std::vector<FakeSeries> series) : series_(std::move(series)) {}

  // Series after `n` end with this error.
  FakeStore& FailAfter(size_t n, Status error) {
    fail_after_ = n;
    error_ = std::move(error);
    return *this;
  }
  // Gives nothing until the call is cancelled.
  FakeStore& Hang() {
    hang_ = true;
    return *this;
  }
  FakeStore& Warn(std::string warning) {
    warnings_.push_back(std::move(warning));
    return *this;
  }

  std::unique_ptr<SeriesStream> Series(const SeriesRequest& request, const CallContext& context) override;
  Result<LabelsAnswer> LabelNames(const LabelsRequest& request, const CallContext& context) override;
  Result<LabelsAnswer> LabelValues(const LabelsRequest& request, const CallContext& context) override;

 private:
  friend class FakeStream;
  std::vector<FakeSeries> series_;
  size_t fail_after_ = SIZE_MAX;
  Status error_;
  bool hang_ = false;
  std::vector<std::string> warnings_;
};

Labels MakeLabels(std::initializer_list<std::pair<const char*, const char*>> pairs);

// A batch of the given series, chunk bytes included.
SeriesBatchPtr MakeBatch(const std::vector<FakeSeries>& series);

// Everything the stream gives, as lines "{a="1"} 10:x 20:y"; an error ends it with "error: ...".
std::vector<std::string> Drain(SeriesStream& stream);

}  // namespace gauntlet::storeapi
