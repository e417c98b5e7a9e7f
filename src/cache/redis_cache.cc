#include "cache/redis_cache.h"

#include <algorithm>
#include <utility>

#include "cache/get_batches.h"

namespace gauntlet::cache {
namespace {

using SteadyClock = std::chrono::steady_clock;
using Kind = RedisReply::Kind;

constexpr size_t kValueBytesMax = size_t{512} << 20;  // redis' own limit
constexpr std::chrono::seconds kLookupWithin{5};

telemetry::Histogram& Seconds(telemetry::Registry& registry, std::string_view operation, std::string_view name) {
  return registry
      .MakeHistograms("thanos_redis_operation_duration_seconds", "Duration of operations against redis.",
                      {"operation", "name"}, {0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 3, 6, 10})
      .With({operation, name});
}

double SecondsSince(SteadyClock::time_point begun) {
  return std::chrono::duration<double>(SteadyClock::now() - begun).count();
}

size_t NotNegative(int n) { return static_cast<size_t>(std::max(n, 0)); }

}  // namespace

RedisCache::RedisCache(RedisConfig config, const std::string& name, const Environment& environment)
    : config_(std::move(config)),
      environment_(environment),
      name_(name),
      get_seconds_(Seconds(environment.registry, "getmulti", name)),
      set_seconds_(Seconds(environment.registry, "set", name)),
      get_gate_(server::Gate::Named(NotNegative(config_.max_get_multi_concurrency), "thanos_redis_getmulti", name,
                                    environment.registry)),
      set_gate_(server::Gate::Named(NotNegative(config_.max_set_multi_concurrency), "thanos_redis_setmulti", name,
                                    environment.registry)),
      breaker_(config_.set_circuit_breaker),
      topology_(config_) {
  AsyncPutsOptions options;
  options.concurrency = std::max<size_t>(NotNegative(config_.max_async_concurrency), 1);
  options.bytes_max = environment_.put_bytes_max;
  options.items_max = NotNegative(config_.max_async_buffer_size);
  options.batch_items_max = std::max<size_t>(NotNegative(config_.set_multi_batch_size), 1);
  puts_ =
      std::make_unique<AsyncPuts>(options, environment_.executor, [this](std::vector<PutItem> batch) { Write(batch); });
}

RedisCache::~RedisCache() {
  closing_.Stop();
  puts_.reset();
}

void RedisCache::Note(const Status& status) {
  topology_.Doubt();
  if (!closing_.cancel().stopped()) GN_LOG(environment_.logger, kDebug, "ask redis", {"name", name_}, {"err", status});
}

std::vector<CachedBytes> RedisCache::Get(std::span<const std::string> keys, const Cancel& cancel) {
  std::vector<CachedBytes> values(keys.size());
  if (keys.empty()) return values;
  auto begun = SteadyClock::now();
  CancelSource within(cancel, config_.read_timeout.count() > 0 ? std::optional(config_.read_timeout) : std::nullopt);
  std::shared_ptr<const RedisServers> servers = topology_.Get(within.cancel());
  if (servers == nullptr) return values;
  std::vector<std::string> names;
  for (const std::string& key : keys) names.push_back(config_.prefix + key);
  auto batches = SplitByServer(names, servers->servers.size(), NotNegative(config_.get_multi_batch_size),
                               [&](const std::string& key) { return servers->Of(key); });
  RunBatches(batches, environment_.executor, *get_gate_, within.cancel(),
             [&](const GetBatch& batch) { GetOne(*servers, batch, names, &values, within.cancel()); });
  get_seconds_.Observe(SecondsSince(begun));
  return values;
}

void RedisCache::GetOne(const RedisServers& servers, const GetBatch& batch, const std::vector<std::string>& keys,
                        std::vector<CachedBytes>* values, const Cancel& cancel) {
  std::string question;
  if (servers.cluster()) {  // keys of one command must be of one slot there
    for (size_t i : batch.keys) AppendRedisCommand({"GET", keys[i]}, &question);
  } else {
    std::vector<std::string_view> words = {"MGET"};
    for (size_t i : batch.keys) words.push_back(keys[i]);
    AppendRedisCommand(words, &question);
  }
  Status refused;
  auto take = [&](size_t i, RedisReply&& reply) {
    if (reply.kind == Kind::kError) refused = reply.status();
    if (reply.kind == Kind::kText) (*values)[i] = std::make_shared<const std::string>(std::move(reply.text));
  };
  Status asked = servers.servers[batch.server]->Ask(
      [&](Connection& connection) -> Status {
        GN_TRY(connection.Write(question));
        if (servers.cluster()) {
          for (size_t i : batch.keys) {
            GN_ASSIGN(RedisReply reply, ReadRedisReply(connection.replies(), kValueBytesMax));
            take(i, std::move(reply));
          }
          return Status();
        }
        GN_ASSIGN(RedisReply reply, ReadRedisReply(connection.replies(), kValueBytesMax));
        GN_TRY(reply.status());
        if (reply.kind != Kind::kArray || reply.items.size() != batch.keys.size())
          return Status(Code::kCorrupt, "redis answered another number of values than was asked for");
        for (size_t i = 0; i < batch.keys.size(); ++i) take(batch.keys[i], std::move(reply.items[i]));
        return Status();
      },
      cancel);
  if (!asked.ok()) refused = std::move(asked);
  if (!refused.ok() && !cancel.stopped()) Note(refused);
}

void RedisCache::Put(std::string key, std::string value, std::chrono::seconds ttl) {
  puts_->Add({config_.prefix + key, std::move(value), ttl});
}

void RedisCache::Write(const std::vector<PutItem>& batch) {
  CancelSource within(closing_.cancel(), kLookupWithin);
  std::shared_ptr<const RedisServers> servers = topology_.Get(within.cancel());
  if (servers == nullptr) return;
  auto pass = set_gate_->Enter(closing_.cancel());
  if (!pass.ok()) return;
  std::vector<std::vector<const PutItem*>> by_server(servers->servers.size());
  for (const PutItem& item : batch) {
    size_t server = servers->Of(item.key);
    if (server < by_server.size() && breaker_.Allows(SteadyClock::now())) by_server[server].push_back(&item);
  }
  for (size_t i = 0; i < by_server.size(); ++i) {
    if (!by_server[i].empty()) WriteTo(*servers->servers[i], by_server[i]);
  }
}

void RedisCache::WriteTo(Server& server, const std::vector<const PutItem*>& items) {
  auto begun = SteadyClock::now();
  std::string question;
  for (const PutItem* item : items) {
    std::string seconds = std::to_string(std::max<int64_t>(item->ttl.count(), 1));
    AppendRedisCommand({"SET", item->key, item->value, "EX", seconds}, &question);
  }
  Status refused;
  Status asked = server.Ask(
      [&](Connection& connection) -> Status {
        GN_TRY(connection.Write(question));
        for (size_t i = 0; i < items.size(); ++i) {
          GN_ASSIGN(RedisReply reply, ReadRedisReply(connection.replies(), kValueBytesMax));
          if (Status one = reply.status(); !one.ok()) refused = std::move(one);
        }
        return Status();
      },
      closing_.cancel());
  if (!asked.ok()) refused = std::move(asked);
  for (size_t i = 0; i < items.size(); ++i) breaker_.Tell(!refused.ok(), SteadyClock::now());
  if (refused.ok()) {
    set_seconds_.Observe(SecondsSince(begun));
  } else {
    Note(refused);
  }
}

}  // namespace gauntlet::cache
