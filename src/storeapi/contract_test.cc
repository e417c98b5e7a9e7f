// The contract over the proxy, in the shapes in which queriers meet their endpoints.

#include "storeapi/testing/contract.h"
#include "base/executor.h"
#include "storeapi/proxy.h"
#include "storeapi/testing/memory_store.h"

namespace gauntlet::storeapi {
namespace {

using Age = MemoryStore::Age;

class MemorySubject : public ContractSubject {
 public:
  Result<Store*> Open(const ContractData& data) override {
    store_ = std::make_unique<MemoryStore>(data);
    return store_.get();
  }

 private:
  std::unique_ptr<MemoryStore> store_;
};

// How the data are spread over endpoints.
enum class Spread { kOne, kReplicas, kSeriesByTurns, kTimes };

class ProxySubject : public ContractSubject {
 public:
  explicit ProxySubject(Spread spread, Age age = Age::kCurrent, bool lazy = false, bool selector = false)
      : spread_(spread), age_(age), lazy_(lazy), selector_(selector) {}

  Result<Store*> Open(const ContractData& data) override {
    for (const ContractData& share : Shares(data)) endpoints_.push_back(EndpointOf(share));
    ProxyOptions options;
    options.lazy = lazy_;
    options.lazy_batches_max = 2;
    if (selector_) {
      // An endpoint that the selector keeps out, and that would spoil everything.
      endpoints_.push_back(EndpointOf({Labels::From({{"region", "unwanted"}}), data.series}));
      options.select_databases = [](const Endpoint& endpoint) -> std::optional<Matchers> {
        if (endpoint.tsdbs[0].labels.Get("region") == "unwanted") return std::nullopt;
        return Matchers();
      };
    }
    proxy_ =
        std::make_unique<Proxy>(std::move(options), [this] { return endpoints_; }, pool_, telemetry::Logger::Discard());
    return proxy_.get();
  }

 private:
  std::vector<ContractData> Shares(const ContractData& data) const {
    if (spread_ == Spread::kOne) return {data};
    if (spread_ == Spread::kReplicas) return {data, data};
    std::vector<ContractData> shares(2, ContractData{data.external, {}});
    for (size_t i = 0; i < data.series.size(); ++i) {
      if (spread_ == Spread::kSeriesByTurns) {
        shares[i % 2].series.push_back(data.series[i]);
        continue;
      }
      for (size_t half : {0, 1}) {
        ContractSeries part{data.series[i].labels, {}};
        for (const auto& sample : data.series[i].samples) {
          if ((sample.first < kContractStartMs + 2 * kHourMs) == (half == 0)) part.samples.push_back(sample);
        }
        if (!part.samples.empty()) shares[half].series.push_back(std::move(part));
      }
    }
    return shares;
  }

  EndpointPtr EndpointOf(const ContractData& data) const {
    auto endpoint = std::make_shared<Endpoint>();
    endpoint->address = "memory:" + std::to_string(endpoints_.size());
    endpoint->tsdbs = {{data.external, kMinTimeMs, kMaxTimeMs}};
    endpoint->supports_sharding = endpoint->supports_without_replica_labels = age_ == Age::kCurrent;
    endpoint->store = std::make_shared<MemoryStore>(data, age_);
    return endpoint;
  }

  const Spread spread_;
  const Age age_;
  const bool lazy_, selector_;
  std::vector<EndpointPtr> endpoints_;
  ThreadPool pool_{"proxy", 16};
  std::unique_ptr<Proxy> proxy_;
};

// A proxy over proxies of replicas, as queriers are stacked.
class StackedSubject : public ContractSubject {
 public:
  Result<Store*> Open(const ContractData& data) override {
    for (ProxySubject* below : {&replicas_, &turns_}) {
      auto store = below->Open(data);
      auto endpoint = std::make_shared<Endpoint>();
      endpoint->address = "proxy:" + std::to_string(endpoints_.size());
      endpoint->tsdbs = {{data.external, kMinTimeMs, kMaxTimeMs}};
      endpoint->supports_sharding = endpoint->supports_without_replica_labels = true;
      endpoint->store = std::shared_ptr<Store>(std::shared_ptr<Store>(), *store);
      endpoints_.push_back(std::move(endpoint));
    }
    proxy_ =
        std::make_unique<Proxy>(ProxyOptions(), [this] { return endpoints_; }, pool_, telemetry::Logger::Discard());
    return proxy_.get();
  }

 private:
  ProxySubject replicas_{Spread::kReplicas}, turns_{Spread::kSeriesByTurns, Age::kOld};
  std::vector<EndpointPtr> endpoints_;
  ThreadPool pool_{"stacked", 16};
  std::unique_ptr<Proxy> proxy_;
};

template <typename Subject, typename... Args>
ContractParam Param(std::string name, Args... args) {
  return {std::move(name), [args...] { return std::make_unique<Subject>(args...); }};
}

INSTANTIATE_TEST_SUITE_P(
    StoreApi, StoreContract,
    ::testing::Values(Param<MemorySubject>("Memory"), Param<ProxySubject>("ProxyOfOne", Spread::kOne),
                      Param<ProxySubject>("ProxyOfReplicas", Spread::kReplicas),
                      Param<ProxySubject>("ProxyOfSeriesByTurns", Spread::kSeriesByTurns),
                      Param<ProxySubject>("ProxyOfTimes", Spread::kTimes),
                      Param<ProxySubject>("LazyProxy", Spread::kSeriesByTurns, Age::kCurrent, true),
                      Param<ProxySubject>("ProxyOfOldEndpoints", Spread::kReplicas, Age::kOld),
                      Param<ProxySubject>("ProxyOfOneOldEndpoint", Spread::kOne, Age::kOld),
                      Param<ProxySubject>("ProxyWithSelector", Spread::kSeriesByTurns, Age::kCurrent, false, true),
                      Param<StackedSubject>("StackedProxies")),
    ContractName);

}  // namespace
}  // namespace gauntlet::storeapi
