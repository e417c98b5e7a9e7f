// StoreAPI's contract over a real Prometheus seen through the sidecar, and over a proxy in front of that.

#include "storeapi/testing/contract.h"
#include "model/float_text.h"
#include "sidecar/prometheus_store.h"
#include "sidecar/testing/beside_prometheus.h"
#include "storeapi/proxy.h"

namespace gauntlet::sidecar {
namespace {

using storeapi::ContractData;
using storeapi::ContractParam;
using storeapi::ContractSeries;
using storeapi::StoreContract;

std::string Escaped(std::string_view value) {
  std::string text;
  for (char c : value) {
    if (c == '\\' || c == '"') text.push_back('\\');
    text.push_back(c);
  }
  return text;
}

// Lines 'm{a="1"} 2 1767571200.015'.
std::string OpenMetrics(const ContractData& data) {
  std::string text;
  for (const ContractSeries& series : data.series) {
    std::string name(series.labels.Get("__name__")), pairs;
    for (const Label& label : series.labels) {
      if (label.name == "__name__") continue;
      pairs += (pairs.empty() ? "" : ",") + std::string(label.name) + "=\"" + Escaped(label.value) + "\"";
    }
    for (const auto& [time_ms, value] : series.samples) {
      std::string millis = std::to_string(time_ms % 1000);
      text += name + "{" + pairs + "} " + FormatFloatG(value) + " " + std::to_string(time_ms / 1000) + "." +
              std::string(3 - millis.size(), '0') + millis + "\n";
    }
  }
  return text;
}

class SidecarSubject : public storeapi::ContractSubject {
 public:
  // With its own reading of blocks, or by remote read alone.
  explicit SidecarSubject(bool reads_blocks = false) : reads_blocks_(reads_blocks) {}

  std::string SkipReason() override { return RealPrometheus::Missing(); }

  Result<storeapi::Store*> Open(const ContractData& data) override {
    if (!data.series.empty()) GN_TRY(parts_.prometheus.AddBlocks(OpenMetrics(data)));
    GN_TRY(parts_.prometheus.Start(data.external));
    GN_TRY(parts_.Make(reads_blocks_ ? &SystemClock() : nullptr));
    GN_TRY(parts_.Look());
    store_ = std::make_unique<PrometheusStore>(*parts_.api, *parts_.heartbeat, parts_.pool, RemoteReadOptions(),
                                               parts_.blocks.get());
    if (reads_blocks_ && !data.series.empty() && !parts_.blocks->Take()) {
      return Status(Code::kInternal, "the blocks are not read here");
    }
    return store_.get();
  }

 private:
  const bool reads_blocks_;
  BesidePrometheus parts_;
  std::unique_ptr<PrometheusStore> store_;
};

// A querier that knows the same sidecar twice.
class ProxySubject : public SidecarSubject {
 public:
  Result<storeapi::Store*> Open(const ContractData& data) override {
    GN_ASSIGN(storeapi::Store * below, SidecarSubject::Open(data));
    for (const char* address : {"one:1", "two:1"}) {
      auto endpoint = std::make_shared<storeapi::Endpoint>();
      endpoint->address = address;
      endpoint->tsdbs = {{data.external, kMinTimeMs, kMaxTimeMs}};
      endpoint->supports_sharding = endpoint->supports_without_replica_labels = true;
      endpoint->store = std::shared_ptr<storeapi::Store>(std::shared_ptr<storeapi::Store>(), below);
      endpoints_.push_back(std::move(endpoint));
    }
    proxy_ = std::make_unique<storeapi::Proxy>(
        storeapi::ProxyOptions(), [this] { return endpoints_; }, proxy_pool_, telemetry::Logger::Discard());
    return proxy_.get();
  }

 private:
  std::vector<storeapi::EndpointPtr> endpoints_;
  ThreadPool proxy_pool_{"proxy", 16};
  std::unique_ptr<storeapi::Proxy> proxy_;
};

INSTANTIATE_TEST_SUITE_P(
    Prometheus, StoreContract,
    ::testing::Values(ContractParam{"Sidecar", [] { return std::make_unique<SidecarSubject>(); }},
                      ContractParam{"SidecarWithBlocks", [] { return std::make_unique<SidecarSubject>(true); }},
                      ContractParam{"ProxyOfSidecars", [] { return std::make_unique<ProxySubject>(); }}),
    storeapi::ContractName);

}  // namespace
}  // namespace gauntlet::sidecar
