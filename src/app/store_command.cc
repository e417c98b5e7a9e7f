#include "app/store_command.h"

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "api/block_viewer/block_viewer.h"
#include "api/status_handlers.h"
#include "app/runtime.h"
#include "app/store_flags.h"
#include "base/clock.h"
#include "base/memory_budget.h"
#include "base/sleep.h"
#include "blocks/meta_fetcher.h"
#include "blocks/meta_filters.h"
#include "blocks/parquet_filter.h"
#include "config/relabel.h"
#include "io/file_system.h"
#include "net/http/router.h"
#include "objstore/config.h"
#include "server/gate.h"
#include "server/middleware.h"
#include "store/block_sync.h"
#include "store/caches/config.h"
#include "store/observed_store.h"
#include "store/store_info.h"
#include "storeapi/matcher_cache.h"
#include "storeapi/store_server.h"

namespace gauntlet::app {
namespace {

constexpr size_t kCallBytes = 128 << 20;  // that a Series call over many blocks may hold at its peak
constexpr std::chrono::seconds kSyncRetry{10}, kFirstSyncWithin{30}, kIdleCheck{30};

struct AllStoreFlags {
  server::HttpOptions http;
  server::GrpcOptions grpc;
  StoreLimitFlags limits;
  BlockFlags blocks;
  StoreReadFlags read;
  StoreWebFlags web;

  void Register(flags::FlagSet& f) {
    http.Register(f);
    grpc.Register(f);
    limits.Register(f);
    blocks.Register(f);
    read.Register(f);
    web.Register(f);
  }
};

store::ReadHabits HabitsOf(const StoreReadFlags& flags, std::string_view provider) {
  const bool local = provider == "FILESYSTEM";
  store::ReadHabits habits = local ? store::LocalHabits() : store::ReadHabits();
  habits.series_entries = static_cast<size_t>(std::max(flags.series_batch, 1));
  if (local) return habits;
  habits.series_entry_estimate = flags.series_estimate;
  habits.chunk_estimate = flags.chunk_estimate;
  return habits;
}

std::vector<std::shared_ptr<blocks::MetaFilter>> FiltersOf(const BlockFlags& flags, Relabeler relabeler,
                                                           std::unique_ptr<objstore::Bucket> parquet,
                                                           blocks::BlockCatalog& catalog, Runtime& runtime) {
  std::vector<std::shared_ptr<blocks::MetaFilter>> filters;
  if (parquet != nullptr) {
    filters.push_back(
        std::make_shared<blocks::ParquetFilter>(std::move(parquet), runtime.blocking(), catalog.concurrency()));
  }
  filters.push_back(
      std::make_shared<blocks::TimePartitionFilter>([&flags] { return flags.min_time.At(SystemClock().NowMs()); },
                                                    [&flags] { return flags.max_time.At(SystemClock().NowMs()); }));
  filters.push_back(std::make_shared<blocks::ShardFilter>(std::move(relabeler)));
  filters.push_back(
      std::make_shared<blocks::ConsistencyDelayFilter>(flags.consistency_delay, SystemClock(), &runtime.registry()));
  filters.push_back(std::make_shared<blocks::IgnoreDeletionMarkFilter>(catalog, flags.ignore_deletion_marks_delay,
                                                                       SystemClock(), runtime.logger()));
  filters.push_back(std::make_shared<blocks::DeduplicateFilter>());
  return filters;
}

// The index cache and the caching bucket, either of them as its flags say.
struct Caches {
  store::MadeIndexCache index;
  store::MadeCachingBucket bucket;  // null without one
};

// Those in this process take a quarter of its memory at most, so that most of it is left to calls.
Result<Caches> MakeCaches(const StoreReadFlags& flags, size_t memory_limit, objstore::Bucket& bucket,
                          const cache::Environment& environment) {
  Caches made;
  store::IndexCacheLimits limits{memory_limit / 4, bucket.provider() != "FILESYSTEM"};
  GN_ASSIGN(std::string index_yaml, flags.index_cache.Load());
  if (flags.index_cache.given()) {
    auto index = store::MakeIndexCache(index_yaml, limits, environment);
    if (!index.ok()) return index.status().Wrap("--index-cache.config");
    made.index = *std::move(index);
  } else {
    made.index = store::MakeMemoryIndexCache(flags.index_cache_bytes, limits, environment);
  }
  GN_ASSIGN(std::string bucket_yaml, flags.caching_bucket.Load());
  if (flags.caching_bucket.given()) {
    auto caching =
        store::MakeCachingBucket(bucket_yaml, flags.caching_bucket.path(), memory_limit / 4, bucket, environment);
    if (!caching.ok()) return caching.status().Wrap("--store.caching-bucket.config");
    made.bucket = *std::move(caching);
  }
  return made;
}

MatcherMaker MatcherMakerOf(std::optional<storeapi::MatcherCache>& cache) {
  if (!cache) return Matcher::Make;
  return [&cache](MatchType type, const std::string& name, const std::string& value) {
    return cache->Make(type, name, value);
  };
}

// The first sync is tried for a while: a gateway that cannot read its bucket does not start.
Status FirstSync(store::BlockSync& sync, telemetry::Logger& logger, const Cancel& cancel) {
  auto until = std::chrono::steady_clock::now() + kFirstSyncWithin;
  while (true) {
    Status synced = sync.Sync(cancel);
    if (synced.ok() || cancel.stopped() || std::chrono::steady_clock::now() >= until)
      return std::move(synced).Wrap("bucket store initial sync");
    GN_LOG(logger, kWarn, "initial sync, tried again", {"err", synced.message()});
    SleepFor(kSyncRetry, cancel);
  }
}

server::MiddlewareOptions MiddlewareOptionsOf(const StoreWebFlags& flags, Runtime& runtime) {
  server::MiddlewareOptions options;
  options.tracer = &runtime.tracer();
  options.cors = !flags.disable_cors;
  return options;
}

Status RunStore(const GlobalFlags& global, const AllStoreFlags& flags, std::map<std::string, std::string> flag_values,
                int* exit_code) {
  GN_ASSIGN(std::unique_ptr<Runtime> runtime, Runtime::Make(global, "store"));
  telemetry::Logger& logger = runtime->logger();
  GN_ASSIGN(std::string log_yaml, flags.read.request_logging.Load());
  GN_ASSIGN(server::RequestLogConfig request_log, server::ParseRequestLogConfig(log_yaml));
  GN_ASSIGN(std::string bucket_yaml, flags.blocks.objstore.Load());
  GN_ASSIGN(std::string relabel_yaml, flags.blocks.relabel.Load());
  Result<std::vector<RelabelConfig>> rules = config::ParseSelectorRelabel(relabel_yaml);
  if (!rules.ok()) return rules.status().Wrap("--selector.relabel-config");
  GN_ASSIGN(Relabeler relabeler, Relabeler::Make(*std::move(rules)));
  io::FileSystem& files = io::RealFileSystem();
  Result<std::unique_ptr<objstore::Bucket>> bucket =
      objstore::MakeBucket(bucket_yaml, {runtime->blocking(), files, logger, "store"}, runtime->registry());
  if (!bucket.ok()) return bucket.status().Wrap("--objstore.config");
  std::unique_ptr<objstore::Bucket> parquet;
  if (flags.blocks.parquet.given()) {
    GN_ASSIGN(std::string parquet_yaml, flags.blocks.parquet.Load());
    auto made = objstore::MakeBucket(parquet_yaml, {runtime->blocking(), files, logger, "store"}, runtime->registry());
    if (!made.ok()) return made.status().Wrap("--objstore-parquet.config");
    parquet = *std::move(made);
  }
  // Without it, nothing is kept on disk.
  const std::string data_dir = flags.blocks.headers_on_disk ? flags.blocks.data_dir : "";
  if (!data_dir.empty()) GN_TRY(files.MakeDirectories(data_dir));
  MemoryBudget budget("process", ProcessMemoryLimit(flags.read.memory_limit));
  cache::Environment cache_environment{runtime->blocking(), runtime->registry(), logger};
  if (budget.limit_bytes() > 0)
    cache_environment.put_bytes_max = std::min(cache_environment.put_bytes_max, budget.limit_bytes() / 16);
  GN_ASSIGN(Caches caches, MakeCaches(flags.read, budget.limit_bytes(), **bucket, cache_environment));
  MemoryCharge cache_charge(&budget, "caches");
  GN_TRY(cache_charge.Set(caches.index.memory_bytes + caches.bucket.memory_bytes));
  objstore::Bucket& source = caches.bucket.bucket != nullptr ? *caches.bucket.bucket : **bucket;

  blocks::CatalogOptions catalog_options;
  catalog_options.strategy = flags.blocks.strategy == "recursive" ? blocks::DiscoveryStrategy::kRecursive
                                                                  : blocks::DiscoveryStrategy::kConcurrent;
  catalog_options.concurrency = static_cast<size_t>(std::max(flags.blocks.meta_concurrency, 1));
  catalog_options.data_dir = data_dir;
  blocks::BlockCatalog catalog(catalog_options, source, files, runtime->blocking(), runtime->registry(), logger);
  blocks::MetaFetcher fetcher(catalog,
                              FiltersOf(flags.blocks, std::move(relabeler), std::move(parquet), catalog, *runtime),
                              runtime->registry(), logger, SystemClock());

  store::ReadMetrics read_metrics(runtime->registry());
  store::BlockEnvironment environment{&source, &runtime->blocking(), caches.index.cache.get(),
                                      HabitsOf(flags.read, (*bucket)->provider())};
  environment.lazy = {flags.read.lazy_postings, flags.read.series_estimate, 0.5, flags.read.posting_ratio};
  environment.metrics = &read_metrics;
  store::BucketStoreOptions store_options;
  store_options.times = [&flags] {
    const int64_t now = SystemClock().NowMs();
    return store::TimeSpan{flags.blocks.min_time.At(now), flags.blocks.max_time.At(now)};
  };
  store_options.download_bytes_max = flags.read.downloaded_bytes;
  store::BucketStore blocks_store(store_options, runtime->blocking(), &budget);
  store::IndexHeaderMetrics header_metrics(runtime->registry());
  store::StoreMetrics metrics(runtime->registry());
  store::BlockSyncOptions sync_options;
  sync_options.data_dir = data_dir;
  sync_options.budget = &budget;
  sync_options.prepare_concurrency = static_cast<size_t>(std::max(flags.blocks.sync_concurrency, 1));
  sync_options.idle_timeout = flags.blocks.header_idle_timeout;
  sync_options.release_files = flags.blocks.lazy_headers;
  store::BlockSync sync(sync_options, fetcher, blocks_store, environment, files, header_metrics, metrics, logger,
                        SystemClock());

  server::Gate gate(static_cast<size_t>(std::max(flags.read.series_concurrency, 0)), "thanos_bucket_store_series",
                    runtime->registry());
  store::CallAdmission admission(&budget, kCallBytes);
  store::ObservedStore observed(blocks_store, gate, admission, metrics);
  storeapi::StoreServerOptions server_options;
  server_options.request_series_max = flags.limits.series ? flags.limits.series : flags.read.old_series_limit;
  server_options.request_samples_max = flags.limits.samples ? flags.limits.samples : flags.read.old_samples_limit;
  server_options.refuse_empty_label = false;
  storeapi::StoreServer store_server(observed, server_options);
  store::StoreInfoService info(blocks_store);

  server::Middleware middleware(MiddlewareOptionsOf(flags.web, *runtime), runtime->registry(), logger);
  net::HttpRouter router("", middleware.Around());
  server::AddCommonRoutes(router, runtime->prober(), runtime->registry());
  api::BlockViewer viewer({.label = flags.web.label,
                           .admin = !flags.web.disable_admin,
                           .default_view = "loaded",
                           .external_prefix = flags.web.external_prefix,
                           .prefix_header = flags.web.prefix_header},
                          **bucket, SystemClock());
  api::StatusHandlers status_handlers({"store", Version(), "", "", std::move(flag_values), SystemClock().NowMs()},
                                      nullptr);
  if (!flags.web.disable) {
    viewer.Register(router);
    status_handlers.Register(router);
    fetcher.OnFetch([&viewer](const Result<blocks::BlockView>& found) { viewer.SetLoaded(found); });
  }
  Runtime::Plan plan;
  plan.http = flags.http;
  plan.router = &router;
  plan.grpc = flags.grpc;
  plan.request_log = std::move(request_log);
  std::optional<storeapi::MatcherCache> matchers;
  if (flags.read.matcher_cache > 0)
    matchers.emplace(static_cast<size_t>(flags.read.matcher_cache), runtime->registry());
  rpc::RegisterStore(store_server, &plan.methods, MatcherMakerOf(matchers));
  rpc::RegisterInfo(info, &plan.methods);
  bool prepare = flags.blocks.header_strategy == "eager";
  plan.start = [&](const Cancel& cancel) -> Status {
    GN_TRY(FirstSync(sync, logger, cancel));
    GN_LOG(logger, kInfo, "bucket store ready", {"blocks", std::to_string(blocks_store.served()->blocks().size())});
    runtime->prober().SetReady();
    return Status();
  };
  plan.background.emplace_back([&](const Cancel& cancel) {
    auto synced = std::chrono::steady_clock::now();
    if (prepare) sync.PrepareHeaders(cancel);
    while (!cancel.stopped()) {
      auto next = synced + flags.blocks.sync_interval;
      SleepFor(std::min<std::chrono::milliseconds>(
                   kIdleCheck, std::chrono::duration_cast<std::chrono::milliseconds>(
                                   std::max(next - std::chrono::steady_clock::now(), std::chrono::nanoseconds(0)))),
               cancel);
      sync.ReleaseIdle();
      if (cancel.stopped() || std::chrono::steady_clock::now() < next) continue;
      synced = std::chrono::steady_clock::now();
      if (Status st = sync.Sync(cancel); !st.ok())
        GN_LOG(logger, kWarn, "syncing blocks failed", {"err", st.message()});
      if (prepare) sync.PrepareHeaders(cancel);
    }
  });
  *exit_code = runtime->Run(std::move(plan));
  return Status();
}

}  // namespace

void AddStoreCommand(flags::App& app, const GlobalFlags& global) {
  flags::Command& command =
      app.AddCommand("store",
                     "Store node giving access to blocks in a bucket provider. Now supported GCS, S3, Azure, "
                     "Swift, Tencent COS and Aliyun OSS.");
  auto store_flags = std::make_shared<AllStoreFlags>();
  store_flags->Register(command.flags());
  SetBody(command, [&app, &global, &command, store_flags](int* exit_code) {
    return RunStore(global, *store_flags, app.Values(command), exit_code);
  });
}

}  // namespace gauntlet::app
