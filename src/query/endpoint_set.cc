#include "query/endpoint_set.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/executor.h"
#include "model/time.h"
#include "storeapi/remote_store.h"

namespace gauntlet::query {

// What is kept of one endpoint between updates. Only Update touches it.
struct EndpointSet::Member {
  EndpointSpec spec;
  std::shared_ptr<net::GrpcChannel> channel;
  std::shared_ptr<storeapi::Store> store;
  std::unique_ptr<rpc::InfoService> info_client;
  std::optional<rpc::Info> info;  // of the last success
  Status health;                  // of the last try
  int64_t last_check_ms = 0, last_healthy_ms = 0;
};

storeapi::Endpoint EndpointFromInfo(const std::string& name, const rpc::Info& info) {
  storeapi::Endpoint endpoint;
  endpoint.address = name;
  endpoint.component = info.component;
  if (!info.store) return endpoint;
  endpoint.supports_sharding = info.store->supports_sharding;
  endpoint.supports_without_replica_labels = info.store->supports_without_replica_labels;
  endpoint.min_time_ms = info.store->min_time_ms;
  endpoint.max_time_ms = info.store->max_time_ms;
  for (const rpc::TsdbInfo& tsdb : info.store->tsdbs)
    endpoint.tsdbs.push_back({tsdb.labels, tsdb.min_time_ms, tsdb.max_time_ms});
  // Servers before 0.29 say labels and times apart.
  if (endpoint.tsdbs.empty()) {
    for (const Labels& labels : info.label_sets)
      endpoint.tsdbs.push_back({labels, endpoint.min_time_ms, endpoint.max_time_ms});
  }
  return endpoint;
}

EndpointSet::EndpointSet(EndpointSetOptions options, SpecSource specs, rpc::ClientInstruments instruments,
                         Executor& executor, Clock& clock, telemetry::Registry& registry, telemetry::Logger logger)
    : options_(std::move(options)),
      specs_(std::move(specs)),
      instruments_(instruments),
      executor_(executor),
      clock_(clock),
      logger_(std::move(logger)),
      duplicates_(registry.MakeCounter(
          "thanos_query_duplicated_endpoint_addresses_total",
          "The number of times a duplicated endpoint addresses is detected from the different configs in query")),
      connections_(registry.MakeGauges(
          "thanos_store_nodes_grpc_connections",
          "Number of gRPC connection to Store APIs. Opened connection means healthy store APIs available for Querier.",
          options_.connection_metric_labels)) {}

EndpointSet::~EndpointSet() = default;

std::shared_ptr<EndpointSet::Member> EndpointSet::MakeMember(const EndpointSpec& spec) {
  net::GrpcChannelOptions options;
  options.addresses = spec.addresses;
  options.tls = spec.tls;
  options.compression = spec.compression;
  auto channel = net::GrpcChannel::Make(std::move(options));
  if (!channel.ok()) {
    GN_LOG(logger_, kError, "endpoint cannot be used", {"address", spec.name}, {"err", channel.status()});
    return nullptr;
  }
  auto member = std::make_shared<Member>();
  member->spec = spec;
  member->channel = std::make_shared<rpc::ObservedChannel>(*std::move(channel), instruments_);
  member->store = std::make_shared<storeapi::RemoteStore>(member->channel, options_.response_timeout);
  member->info_client = rpc::MakeInfoClient(*member->channel);
  member->last_healthy_ms = clock_.NowMs();
  return member;
}

void EndpointSet::Ask(Member& member, const Cancel& cancel) {
  CancelSource source(cancel, options_.info_timeout);
  rpc::CallContext context;
  context.cancel = source.cancel();
  rpc::Info info;
  net::GrpcStatus status = member.info_client->GetInfo(&info, context);
  member.last_check_ms = clock_.NowMs();
  member.health = status.ok() ? Status() : storeapi::RpcError(status);
  if (!status.ok()) return;
  member.info = std::move(info);
  member.last_healthy_ms = member.last_check_ms;
}

void EndpointSet::Update(const Cancel& cancel) {
  Members next;
  std::vector<std::shared_ptr<Member>> asked;
  for (const EndpointSpec& spec : specs_()) {
    if (spec.name.empty()) continue;
    auto [at, fresh] = next.try_emplace(spec.name, nullptr);
    if (!fresh) {
      duplicates_.Add();
      continue;
    }
    auto known = members_.find(spec.name);
    if (known != members_.end()) {
      at->second = known->second;
      if (at->second->spec.addresses != spec.addresses) at->second->channel->SetAddresses(spec.addresses);
      at->second->spec = spec;
    } else {
      at->second = MakeMember(spec);
    }
    if (at->second) {
      asked.push_back(at->second);
    } else {
      next.erase(at);
    }
  }
  ParallelFor(executor_, asked.size(), [&](size_t i) { Ask(*asked[i], cancel); });
  if (cancel.stopped()) return;

  for (auto at = next.begin(); at != next.end();) {
    Member& member = *at->second;
    bool known = members_.count(at->first) > 0;
    bool dead = !member.health.ok() && !member.spec.strict &&
                member.last_check_ms - member.last_healthy_ms > options_.unhealthy_timeout.count();
    if (!member.health.ok() && !known) {
      GN_LOG(logger_, kWarn, "endpoint does not answer", {"address", at->first}, {"err", member.health});
    } else if (member.health.ok() && !known) {
      GN_LOG(logger_, kInfo, "endpoint found", {"address", at->first}, {"component", member.info->component});
    }
    if (dead && member.info) {
      GN_LOG(logger_, kWarn, "endpoint was unhealthy for too long and is let go", {"address", at->first},
             {"err", member.health});
      member.info.reset();
    }
    ++at;
  }
  members_ = std::move(next);
  Publish(members_);
}

void EndpointSet::Publish(const Members& members) {
  std::vector<storeapi::EndpointPtr> stores;
  std::vector<ControlEndpoint> controls;
  std::vector<EndpointStatus> statuses;
  std::map<std::vector<std::string>, double> connections;
  for (const auto& [name, member] : members) {
    if (!member->info && !member->spec.strict) {
      // Never seen, or let go: named on the status page, asked for nothing.
      statuses.push_back({name, "", member->last_check_ms, std::string(member->health.message()), {}, 0, 0});
      continue;
    }
    auto endpoint = std::make_shared<storeapi::Endpoint>();
    if (member->info) *endpoint = EndpointFromInfo(name, *member->info);
    endpoint->address = name;
    endpoint->store = member->store;
    // A strict endpoint is asked whatever its last check said; one that never answered may have anything.
    endpoint->health = member->spec.strict ? Status() : member->health;
    if (!member->info) endpoint->component = "store";
    statuses.push_back({name, endpoint->component, member->last_check_ms, std::string(member->health.message()),
                        endpoint->label_sets(), endpoint->min_time_ms, endpoint->max_time_ms});
    if (!member->info || member->info->store) stores.push_back(endpoint);
    if (!member->info) continue;
    ControlEndpoint control;
    control.endpoint = endpoint;
    const rpc::Info& info = *member->info;
    net::GrpcChannel& channel = *member->channel;
    // Clients keep their channel alive through the member.
    auto shared = [&](auto client) {
      using Service = typename decltype(client)::element_type;
      auto owner =
          std::make_shared<std::pair<std::shared_ptr<Member>, std::unique_ptr<Service>>>(member, std::move(client));
      return std::shared_ptr<Service>(owner, owner->second.get());
    };
    if (info.rules) control.rules = shared(rpc::MakeRulesClient(channel));
    if (info.targets) control.targets = shared(rpc::MakeTargetsClient(channel));
    if (info.metadata) control.metadata = shared(rpc::MakeMetadataClient(channel));
    if (info.status) control.status = shared(rpc::MakeStatusClient(channel));
    if (info.query) control.query = shared(rpc::MakeQueryClient(channel));
    if (info.exemplars) {
      control.exemplars = shared(rpc::MakeExemplarsClient(channel));
      // A sidecar says no times: it may have any.
      bool times = info.exemplars->min_time_ms != 0 || info.exemplars->max_time_ms != 0;
      control.exemplars_min_ms = times ? info.exemplars->min_time_ms : kMinTimeMs;
      control.exemplars_max_ms = times ? info.exemplars->max_time_ms : kMaxTimeMs;
    }
    controls.push_back(std::move(control));
    std::string sets;
    for (const Labels& labels : endpoint->label_sets()) sets += (sets.empty() ? "" : ",") + labels.ToString();
    std::vector<std::string> values;
    for (const std::string& label : options_.connection_metric_labels) {
      values.push_back(label == "external_labels" ? sets : label == "store_type" ? endpoint->component : name);
    }
    connections[values] += 1;
  }
  connections_.Clear();
  for (const auto& [values, count] : connections) {
    std::vector<std::string_view> views(values.begin(), values.end());
    connections_.Find(views).Set(count);
  }
  MutexLock lock(mutex_);
  stores_ = std::move(stores);
  controls_ = std::move(controls);
  statuses_ = std::move(statuses);
}

std::vector<storeapi::EndpointPtr> EndpointSet::Stores() const {
  MutexLock lock(mutex_);
  return stores_;
}

std::vector<ControlEndpoint> EndpointSet::Controls() const {
  MutexLock lock(mutex_);
  return controls_;
}

std::vector<EndpointStatus> EndpointSet::Statuses() const {
  MutexLock lock(mutex_);
  return statuses_;
}

}  // namespace gauntlet::query
