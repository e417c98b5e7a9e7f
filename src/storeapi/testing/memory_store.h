// MemoryStore: the data of the contract in memory, as a Store: what the proxy is proved over.
//
// It can also be an old endpoint, which knows neither shards nor replica labels to leave out.
// Threads: thread-safe.

#pragma once

#include <string>
#include <vector>

#include "storeapi/testing/contract.h"

namespace gauntlet::storeapi {

class MemoryStore : public Store {
 public:
  enum class Age { kCurrent, kOld };
  explicit MemoryStore(const ContractData& data, Age age = Age::kCurrent);

  std::unique_ptr<SeriesStream> Series(const SeriesRequest& request, const CallContext& context) override;
  Result<LabelsAnswer> LabelNames(const LabelsRequest& request, const CallContext& context) override;
  Result<LabelsAnswer> LabelValues(const LabelsRequest& request, const CallContext& context) override;

 private:
  struct Held {
    Labels labels;  // final
    std::vector<std::pair<int64_t, double>> samples;
  };
  // Final labels of what matches.
  std::vector<const Held*> Matching(const Matchers& matchers, int64_t start_ms, int64_t end_ms) const;

  const Age age_;
  Labels external_;
  std::vector<Held> series_;
};

}  // namespace gauntlet::storeapi
