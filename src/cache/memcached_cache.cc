// A key's server is found as Thanos finds it, so that both find what the other has put.

#include "cache/memcached_cache.h"

#include <algorithm>
#include <chrono>
#include <unordered_map>
#include <utility>

#include "base/clock.h"
#include "cache/get_batches.h"
#include "cache/memcached_protocol.h"
#include "cache/server_choice.h"
#include "model/time.h"

namespace gauntlet::cache {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr char kGet[] = "getmulti";
constexpr char kSet[] = "set";
constexpr size_t kValueBytesMax = size_t{1} << 30;
constexpr std::chrono::seconds kLookupWithin{10};

const std::vector<double> kSeconds = {0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 3, 6, 10};
const std::vector<double> kSizes = {32,        256,     512,      1 << 10,   32 << 10, 256 << 10,
                                    512 << 10, 1 << 20, 32 << 20, 256 << 20, 512 << 20};

std::string_view ReasonOf(const Status& status) {
  if (status.code() == Code::kDeadline) return "timeout";
  if (status.code() == Code::kUnavailable)
    return status.message().find("memcached says") != std::string_view::npos ? "server-error" : "network-error";
  return "other";
}

double SecondsSince(SteadyClock::time_point begun) {
  return std::chrono::duration<double>(SteadyClock::now() - begun).count();
}

void TellConfig(const MemcachedConfig& config, const std::string& name, telemetry::Registry& registry) {
  auto duration = [](std::chrono::milliseconds d) { return FormatGoDuration(std::chrono::nanoseconds(d).count()); };
  registry
      .MakeGauges("thanos_memcached_client_info",
                  "A metric with a constant '1' value labeled by configuration options from which memcached client was "
                  "configured.",
                  {"timeout", "max_idle_connections", "max_async_concurrency", "max_async_buffer_size", "max_item_size",
                   "max_get_multi_concurrency", "max_get_multi_batch_size", "dns_provider_update_interval", "name"})
      .With({duration(config.timeout), std::to_string(config.max_idle_connections),
             std::to_string(config.max_async_concurrency), std::to_string(config.max_async_buffer_size),
             std::to_string(config.max_item_size), std::to_string(config.max_get_multi_concurrency),
             std::to_string(config.max_get_multi_batch_size), duration(config.dns_provider_update_interval), name})
      .Set(1);
}

}  // namespace

struct MemcachedCache::Instruments {
  Instruments(telemetry::Registry& registry, const std::string& label) : name(label) {
    operations = registry.MakeCounters("thanos_memcached_operations_total",
                                       "Total number of operations against memcached.", {"operation", "name"});
    failures = registry.MakeCounters("thanos_memcached_operation_failures_total",
                                     "Total number of operations against memcached that failed.",
                                     {"operation", "reason", "name"});
    skipped = registry.MakeCounters("thanos_memcached_operation_skipped_total",
                                    "Total number of operations against memcached that have been skipped.",
                                    {"operation", "reason", "name"});
    duration = registry.MakeHistograms("thanos_memcached_operation_duration_seconds",
                                       "Duration of operations against memcached.", {"operation", "name"}, kSeconds);
    data_size = registry.MakeHistograms("thanos_memcached_operation_data_size_bytes",
                                        "Tracks the size of the data stored in and fetched from memcached.",
                                        {"operation", "name"}, kSizes);
    for (const char* operation : {kGet, kSet}) {
      operations.With({operation, name});
      duration.With({operation, name});
      data_size.With({operation, name});
      for (const char* reason : {"timeout", "malformed-key", "server-error", "network-error", "other"})
        failures.With({operation, reason, name});
    }
    skipped.With({kGet, "max-item-size", name});
    for (const char* reason : {"max-item-size", "async-buffer-full"}) skipped.With({kSet, reason, name});
  }

  void Done(const char* operation, SteadyClock::time_point begun, size_t bytes) {
    duration.With({operation, name}).Observe(SecondsSince(begun));
    data_size.With({operation, name}).Observe(static_cast<double>(bytes));
  }

  const std::string name;
  telemetry::Family<telemetry::Counter> operations, failures, skipped;
  telemetry::Family<telemetry::Histogram> duration, data_size;
};

MemcachedCache::MemcachedCache(MemcachedConfig config, const std::string& name, const Environment& environment)
    : config_(std::move(config)),
      environment_(environment),
      name_(name),
      instruments_(std::make_unique<Instruments>(environment.registry, name)),
      resolver_(net::DnsResolver::Make()),
      dns_metrics_(environment.registry, "thanos_memcached_"),
      addresses_(*resolver_, discovery::DnsStyle::kMiekgdns, dns_metrics_, environment.logger, environment.executor),
      gate_(server::Gate::Named(static_cast<size_t>(std::max(config_.max_get_multi_concurrency, 0)),
                                "thanos_memcached_getmulti", name, environment.registry)),
      breaker_(config_.set_circuit_breaker),
      servers_(std::make_shared<const Servers>()) {
  TellConfig(config_, name_, environment.registry);
  AsyncPutsOptions options;
  options.concurrency = static_cast<size_t>(config_.max_async_concurrency);
  options.bytes_max = environment_.put_bytes_max;
  options.items_max = static_cast<size_t>(std::max(config_.max_async_buffer_size, 0));
  puts_ =
      std::make_unique<AsyncPuts>(options, environment_.executor, [this](std::vector<PutItem> batch) { Write(batch); });
  CancelSource lookup(closing_.cancel(), kLookupWithin);
  if (Status found = Refresh(lookup.cancel()); !found.ok())
    GN_LOG(environment_.logger, kError, "look up memcached servers", {"name", name_}, {"err", found});
}

MemcachedCache::~MemcachedCache() {
  closing_.Stop();
  puts_.reset();
  MutexLock lock(mutex_);
  while (refreshing_) changed_.Wait(mutex_);
}

std::shared_ptr<Server> MemcachedCache::MakeServer(const std::string& address) const {
  ServerOptions options;
  options.address = address;
  options.tls = config_.tls;
  options.dial_timeout = options.timeout = config_.timeout;
  options.idle_max = static_cast<size_t>(std::max(config_.max_idle_connections, 1));
  return std::make_shared<Server>(std::move(options));
}

// The nodes of a cluster, asked of the configured addresses.
Result<std::vector<std::string>> MemcachedCache::Discover(const Cancel& cancel) {
  std::vector<std::string> nodes;
  Status first;
  for (const std::string& address : config_.addresses) {
    std::vector<std::string> found;
    Status asked = MakeServer(address)->Ask(
        [&](Connection& connection) -> Status {
          GN_TRY(connection.Write(kMemcachedClusterQuestion));
          GN_ASSIGN(found, ReadMemcachedCluster(connection.replies()));
          return Status();
        },
        cancel);
    if (!asked.ok() && first.ok()) first = std::move(asked);
    nodes.insert(nodes.end(), found.begin(), found.end());
  }
  if (nodes.empty() && !first.ok()) return first;
  return nodes;
}

Status MemcachedCache::Refresh(const Cancel& cancel) {
  std::vector<std::string> found;
  Status problem;
  if (config_.auto_discovery) {
    GN_ASSIGN(found, Discover(cancel));
  } else {
    problem = addresses_.Resolve(config_.addresses, cancel);
    found = addresses_.Addresses();
  }
  if (found.empty()) return problem.ok() ? Status(Code::kNotFound, "no server address resolved for " + name_) : problem;
  SortNaturally(&found);
  MutexLock lock(mutex_);
  auto next = std::make_shared<Servers>();
  for (const std::string& address : found) {
    auto same =
        std::find_if(servers_->begin(), servers_->end(), [&](const auto& s) { return s->address() == address; });
    next->push_back(same != servers_->end() ? *same : MakeServer(address));
  }
  servers_ = std::move(next);
  refreshed_ = SteadyClock::now();
  return problem;
}

void MemcachedCache::RefreshWhenDue() {
  {
    MutexLock lock(mutex_);
    if (refreshing_ || SteadyClock::now() < refreshed_ + config_.dns_provider_update_interval) return;
    refreshing_ = true;
    refreshed_ = SteadyClock::now();
  }
  environment_.executor.Run([this] {
    CancelSource lookup(closing_.cancel(), kLookupWithin);
    if (Status found = Refresh(lookup.cancel()); !found.ok() && !closing_.cancel().stopped())
      GN_LOG(environment_.logger, kWarn, "look up memcached servers", {"name", name_}, {"err", found});
    MutexLock lock(mutex_);
    refreshing_ = false;
    changed_.NotifyAll();
  });
}

std::shared_ptr<const MemcachedCache::Servers> MemcachedCache::servers() {
  RefreshWhenDue();
  MutexLock lock(mutex_);
  return servers_;
}

std::vector<CachedBytes> MemcachedCache::Get(std::span<const std::string> keys, const Cancel& cancel) {
  std::vector<CachedBytes> values(keys.size());
  std::shared_ptr<const Servers> servers = this->servers();
  if (keys.empty() || servers->empty()) return values;
  auto batches =
      SplitByServer(keys, servers->size(), static_cast<size_t>(std::max(config_.max_get_multi_batch_size, 0)),
                    [&](const std::string& key) {
                      if (IsMemcachedKey(key)) return ServerOf(key, servers->size());
                      instruments_->failures.With({kGet, "malformed-key", name_}).Add();
                      return kNoServer;
                    });
  CancelSource within(cancel, config_.timeout);
  RunBatches(batches, environment_.executor, *gate_, within.cancel(),
             [&](const GetBatch& batch) { GetOne(*servers, batch, keys, &values, within.cancel()); });
  return values;
}

void MemcachedCache::GetOne(const Servers& servers, const GetBatch& batch, std::span<const std::string> keys,
                            std::vector<CachedBytes>* values, const Cancel& cancel) {
  auto begun = SteadyClock::now();
  instruments_->operations.With({kGet, name_}).Add();
  std::vector<std::string_view> wanted;
  std::unordered_map<std::string_view, std::vector<size_t>> places;
  for (size_t i : batch.keys) {
    auto& places_of_key = places[keys[i]];
    if (places_of_key.empty()) wanted.push_back(keys[i]);
    places_of_key.push_back(i);
  }
  std::string question;
  AppendMemcachedGet(wanted, &question);
  size_t bytes = 0;
  Status asked = servers[batch.server]->Ask(
      [&](Connection& connection) -> Status {
        GN_TRY(connection.Write(question));
        return ReadMemcachedValues(connection.replies(), kValueBytesMax, [&](std::string_view key, std::string value) {
          auto found = places.find(key);
          if (found == places.end()) return;
          bytes += value.size();
          auto shared = std::make_shared<const std::string>(std::move(value));
          for (size_t i : found->second) (*values)[i] = shared;
        });
      },
      cancel);
  if (asked.ok()) return instruments_->Done(kGet, begun, bytes);
  instruments_->failures.With({kGet, ReasonOf(asked), name_}).Add();
  GN_LOG(environment_.logger, kDebug, "get items from memcached", {"name", name_}, {"err", asked});
}

void MemcachedCache::Put(std::string key, std::string value, std::chrono::seconds ttl) {
  if (config_.max_item_size > 0 && value.size() > config_.max_item_size) {
    instruments_->skipped.With({kSet, "max-item-size", name_}).Add();
    return;
  }
  if (!IsMemcachedKey(key)) {
    instruments_->failures.With({kSet, "malformed-key", name_}).Add();
    return;
  }
  if (!puts_->Add({std::move(key), std::move(value), ttl}))
    instruments_->skipped.With({kSet, "async-buffer-full", name_}).Add();
}

void MemcachedCache::Write(const std::vector<PutItem>& batch) {
  std::shared_ptr<const Servers> servers = this->servers();
  if (servers->empty()) return;
  std::vector<std::vector<const PutItem*>> by_server(servers->size());
  for (const PutItem& item : batch) by_server[ServerOf(item.key, servers->size())].push_back(&item);
  // Times from 30 days on are taken as points in time.
  int64_t now = SystemClock().NowMs() / 1000;
  for (size_t s = 0; s < by_server.size(); ++s) {
    if (by_server[s].empty()) continue;
    auto begun = SteadyClock::now();
    std::string question;
    size_t bytes = 0, asked_for = 0, stored = 0;
    for (const PutItem* item : by_server[s]) {
      if (!breaker_.Allows(begun)) {
        instruments_->failures.With({kSet, "other", name_}).Add();
        continue;
      }
      ++asked_for;
      bytes += item->value.size();
      AppendMemcachedSet(item->key, item->value, now + item->ttl.count(), &question);
    }
    if (asked_for == 0) continue;
    instruments_->operations.With({kSet, name_}).Add(static_cast<double>(asked_for));
    Status refused;
    Status asked = (*servers)[s]->Ask(
        [&](Connection& connection) -> Status {
          GN_TRY(connection.Write(question));
          for (stored = 0; stored < asked_for; ++stored) {
            Status one = ReadMemcachedStored(connection.replies());
            if (!one.ok() && (connection.failed() || one.code() == Code::kCorrupt)) return one;
            if (!one.ok()) refused = std::move(one);
          }
          return Status();
        },
        closing_.cancel());
    for (size_t i = 0; i < asked_for; ++i) breaker_.Tell(!asked.ok() || !refused.ok(), SteadyClock::now());
    if (asked.ok() && refused.ok()) {
      instruments_->Done(kSet, begun, bytes);
      continue;
    }
    const Status& why = asked.ok() ? refused : asked;
    instruments_->failures.With({kSet, ReasonOf(why), name_}).Add();
    GN_LOG(environment_.logger, kDebug, "put items into memcached", {"name", name_}, {"err", why});
  }
}

}  // namespace gauntlet::cache
