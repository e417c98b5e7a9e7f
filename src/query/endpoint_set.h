// EndpointSet: the endpoints that the querier knows: asked again and again what they are, and kept or let go.
//
// Endpoint groups are one endpoint behind several addresses. An endpoint that never answered is not in the set, unless
// it is strict; one that stops answering stays, unhealthy, for a while: what it would have had is missing from answers,
// and said so.
//
// Upstream: thanos pkg/query/endpointset.go
// Threads:  thread-safe. Update() is called by one thread at a time.

#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "net/grpc/grpc.h"
#include "rpc/exemplars.h"
#include "rpc/info.h"
#include "rpc/metadata.h"
#include "rpc/observed_channel.h"
#include "rpc/query.h"
#include "rpc/rules.h"
#include "rpc/targets.h"
#include "rpc/tsdb_statistics.h"
#include "storeapi/endpoint.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"

namespace gauntlet {
class Executor;
}

namespace gauntlet::query {

// One endpoint as configuration and discovery say it.
struct EndpointSpec {
  std::string name;                    // its key and its name everywhere: the address, or the group's
  std::vector<std::string> addresses;  // one, or those of a group
  bool strict = false;                 // always asked, healthy or not
  std::optional<net::TlsClientOptions> tls;
  net::GrpcCompression compression = net::GrpcCompression::kIdentity;
};

struct EndpointSetOptions {
  std::chrono::milliseconds info_timeout{5'000}, unhealthy_timeout{300'000}, response_timeout{0};
  std::vector<std::string> connection_metric_labels = {"external_labels", "store_type"};
};

// For /api/v1/stores and the status page.
struct EndpointStatus {
  std::string name, component;
  int64_t last_check_ms = 0;
  std::string last_error;  // empty = healthy
  std::vector<Labels> label_sets;
  int64_t min_time_ms = 0, max_time_ms = 0;
};

// An endpoint with the services it has beside StoreAPI. Null = it has not.
struct ControlEndpoint {
  storeapi::EndpointPtr endpoint;
  std::shared_ptr<rpc::RulesService> rules;
  std::shared_ptr<rpc::TargetsService> targets;
  std::shared_ptr<rpc::MetadataService> metadata;
  std::shared_ptr<rpc::ExemplarsService> exemplars;
  std::shared_ptr<rpc::StatusService> status;
  std::shared_ptr<rpc::QueryService> query;
  int64_t exemplars_min_ms = kMinTimeMs, exemplars_max_ms = kMaxTimeMs;
};

class EndpointSet {
 public:
  using SpecSource = std::function<std::vector<EndpointSpec>()>;
  // All borrowed for the set's life.
  EndpointSet(EndpointSetOptions options, SpecSource specs, rpc::ClientInstruments instruments, Executor& executor,
              Clock& clock, telemetry::Registry& registry, telemetry::Logger logger);
  ~EndpointSet();

  // Takes the specifications anew and asks every endpoint what it is, all at the same time; returns when all have
  // answered or their time is over.
  void Update(const Cancel& cancel);

  // Those that answer StoreAPI, unhealthy ones too.
  std::vector<storeapi::EndpointPtr> Stores() const;
  // All that have answered once, and their other services; unhealthy ones are not to be asked.
  std::vector<ControlEndpoint> Controls() const;
  std::vector<EndpointStatus> Statuses() const;

 private:
  struct Member;
  using Members = std::map<std::string, std::shared_ptr<Member>>;

  std::shared_ptr<Member> MakeMember(const EndpointSpec& spec);
  void Ask(Member& member, const Cancel& cancel);
  void Publish(const Members& members);

  const EndpointSetOptions options_;
  const SpecSource specs_;
  const rpc::ClientInstruments instruments_;
  Executor& executor_;
  Clock& clock_;
  telemetry::Logger logger_;
  telemetry::Counter& duplicates_;
  telemetry::Family<telemetry::Gauge> connections_;
  Members members_;  // Update's own
  mutable Mutex mutex_;
  std::vector<storeapi::EndpointPtr> stores_ GN_GUARDED_BY(mutex_);
  std::vector<ControlEndpoint> controls_ GN_GUARDED_BY(mutex_);
  std::vector<EndpointStatus> statuses_ GN_GUARDED_BY(mutex_);
};

// What Info says, as the proxy sees it.
storeapi::Endpoint EndpointFromInfo(const std::string& name, const rpc::Info& info);

}  // namespace gauntlet::query
