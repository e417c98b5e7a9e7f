#include "app/tsdb_serve_command.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <utility>

#include "api/metadata_handlers.h"
#include "api/query_handlers.h"
#include "api/status_handlers.h"
#include "app/runtime.h"
#include "base/clock.h"
#include "base/memory_budget.h"
#include "base/sleep.h"
#include "io/file_system.h"
#include "net/http/router.h"
#include "promql/engine/engine.h"
#include "promql/engine/features.h"
#include "server/gate.h"
#include "server/middleware.h"
#include "tsdb/db/block_queryable.h"

namespace gauntlet::app {
namespace {

struct ServeFlags {
  std::string dir;
  server::HttpOptions http;
  std::chrono::milliseconds timeout{120'000}, lookback_delta{300'000}, refresh{60'000};
  int max_concurrent = 20;
  int64_t max_samples = 50'000'000;
  uint64_t memory_limit = 0, query_memory_limit = 0;
  std::vector<std::string> features;
  bool x_functions = false;

  void Register(flags::FlagSet& f) {
    http.Register(f);
    f.GoDuration("query.timeout", "Maximum time a query may take before being aborted.", &timeout);
    f.GoDuration("query.lookback-delta", "The maximum lookback duration for retrieving samples.", &lookback_delta);
    f.Int("query.max-concurrency", "Maximum number of queries executed concurrently.", &max_concurrent);
    f.Int64("query.max-samples", "Maximum number of samples a single query can load into memory.", &max_samples);
    f.Bytes("memory.limit", "Bytes that all queries together may hold; 0 = nine tenths of what the process may use.",
            &memory_limit);
    f.Bytes("query.memory-limit", "Bytes that one query may hold; 0 = no limit of its own.", &query_memory_limit);
    f.CommaList("enable-feature",
                "Comma separated feature names to enable: " + std::string(promql::kFeatureNames) + ".", &features);
    f.Bool("query.enable-x-functions", "Whether to enable the functions xrate, xincrease and xdelta.", &x_functions);
    f.GoDuration("refresh-interval", "How often to look for new and removed blocks.", &refresh);
  }
};

promql::EngineOptions EngineOptionsOf(const ServeFlags& flags) {
  promql::EngineOptions options;
  options.timeout = flags.timeout;
  options.max_samples = flags.max_samples;
  options.query_memory_bytes = flags.query_memory_limit;
  options.max_concurrent = 0;  // the gate in front of it
  options.lookback_delta_ms = flags.lookback_delta.count();
  options.x_functions = flags.x_functions;
  for (const std::string& feature : flags.features) promql::EnableFeature(feature, &options);
  return options;
}

api::QuerySettings SettingsOf(const ServeFlags& flags) {
  api::QuerySettings settings;
  settings.lookback_delta_ms = flags.lookback_delta.count();
  settings.dynamic_lookback_delta = false;
  settings.timeout = flags.timeout;
  return settings;
}

// Says which blocks cannot be read: once per look, at the start as an error.
Status Refresh(tsdb::BlockDirectory& directory, telemetry::Logger& logger) {
  std::vector<tsdb::BlockDirectory::Problem> problems;
  GN_TRY(directory.Refresh(&problems));
  for (const auto& problem : problems) {
    GN_LOG(logger, kWarn, "block left out", {"block", problem.name}, {"err", problem.status});
  }
  return Status();
}

Status RunServe(const GlobalFlags& global, const ServeFlags& flags, std::map<std::string, std::string> flag_values,
                int* exit_code) {
  GN_ASSIGN(std::unique_ptr<Runtime> runtime, Runtime::Make(global, "query"));
  telemetry::Logger& logger = runtime->logger();
  tsdb::BlockDirectory directory(io::RealFileSystem(), flags.dir);
  GN_TRY(Refresh(directory, logger));
  GN_LOG(logger, kInfo, "serving blocks", {"dir", flags.dir}, {"blocks", directory.blocks()->size()});

  MemoryBudget process_budget("process", ProcessMemoryLimit(flags.memory_limit));
  promql::Engine engine(EngineOptionsOf(flags), runtime->workers(), &process_budget, SystemClock(),
                        &runtime->registry());
  server::Gate gate(static_cast<size_t>(std::max(flags.max_concurrent, 0)), "thanos_query_concurrent",
                    runtime->registry());
  api::QuerySettings settings = SettingsOf(flags);
  query::DataSource source = [&directory](const query::SelectScope&, query::FanoutReport*) {
    return std::make_unique<tsdb::BlockQueryable>(directory);
  };
  server::MiddlewareOptions middleware_options;
  middleware_options.tracer = &runtime->tracer();
  server::Middleware middleware(middleware_options, runtime->registry(), logger);
  net::HttpRouter router("", middleware.Around());
  server::AddCommonRoutes(router, runtime->prober(), runtime->registry());
  api::QueryHandlers query_handlers(settings, engine, source, gate, runtime->registry());
  query_handlers.Register(router);
  api::MetadataHandlers metadata_handlers(settings, source);
  metadata_handlers.Register(router);
  api::StatusHandlers status_handlers({"query", Version(), "", "", std::move(flag_values), SystemClock().NowMs()},
                                      nullptr);
  status_handlers.Register(router);

  Runtime::Plan plan;
  plan.http = flags.http;
  plan.router = &router;
  plan.serve_grpc = false;
  plan.start = [&](const Cancel&) -> Status {
    runtime->prober().SetReady();
    return Status();
  };
  plan.background.emplace_back([&](const Cancel& cancel) {
    while (SleepFor(flags.refresh, cancel)) {
      if (Status st = Refresh(directory, logger); !st.ok()) {
        GN_LOG(logger, kWarn, "blocks not listed", {"dir", flags.dir}, {"err", st});
      }
    }
  });
  *exit_code = runtime->Run(std::move(plan));
  return Status();
}

}  // namespace

void AddTsdbServeCommand(flags::App& app, flags::Command& tsdb, const GlobalFlags& global) {
  flags::Command& command = tsdb.AddCommand("serve", "Serve the HTTP API v1 over the blocks in a folder, read-only.");
  auto serve_flags = std::make_shared<ServeFlags>();
  serve_flags->Register(command.flags());
  command.Argument("db path", "Folder with blocks.", &serve_flags->dir);
  SetBody(command, [&app, &global, &command, serve_flags](int* exit_code) {
    return RunServe(global, *serve_flags, app.Values(command), exit_code);
  });
}

}  // namespace gauntlet::app
