#include "app/bucket_web_command.h"

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/block_viewer/block_viewer.h"
#include "api/status_handlers.h"
#include "app/runtime.h"
#include "base/clock.h"
#include "base/sleep.h"
#include "blocks/meta_fetcher.h"
#include "blocks/meta_filters.h"
#include "config/relabel.h"
#include "io/file_system.h"
#include "model/relabel.h"
#include "net/http/router.h"
#include "objstore/config.h"
#include "server/middleware.h"

namespace gauntlet::app {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kRetry{60'000};

struct BucketWebFlags {
  server::HttpOptions http;
  flags::ConfigSource objstore, relabel;
  std::string route_prefix, external_prefix, prefix_header, label;
  bool disable_cors = false, disable_admin = false;
  milliseconds refresh{1'800'000}, timeout{300'000};
  flags::TimeOrDuration min_time, max_time;

  void Register(flags::FlagSet& f);
  // What is likely not meant.
  std::vector<std::string> Doubts() const;
};

void BucketWebFlags::Register(flags::FlagSet& f) {
  http.Register(f);
  f.Config("objstore.config", "YAML file that contains object store configuration.", &objstore, true);
  f.String("web.route-prefix",
           "Prefix for API and UI endpoints, so that they can be served on a sub-path. Defaults to the value of "
           "--web.external-prefix.",
           &route_prefix);
  f.String("web.external-prefix",
           "Prefix under which a reverse proxy serves the page: its links begin with it. Also the default of "
           "--web.route-prefix.",
           &external_prefix);
  f.String("web.prefix-header",
           "Name of the HTTP request header with the prefix under which a reverse proxy serves the page, where "
           "--web.external-prefix does not say it.",
           &prefix_header);
  f.Bool(
      "web.disable-cors",
      "Whether to disable CORS headers to be set by Thanos. By default Thanos sets CORS headers to be allowed by all.",
      &disable_cors);
  f.GoDuration("refresh", "Refresh interval to download metadata from remote storage", &refresh);
  f.GoDuration("timeout", "Timeout to download metadata from remote storage", &timeout);
  f.String("label", "External block label to use as group title", &label);
  f.Bool("disable-admin-operations",
         "Disable UI/API admin operations like marking blocks for deletion and no compaction.", &disable_admin);
  f.Time("min-time",
         "Start of time range limit to serve: only blocks that happened later: RFC3339, or a duration relative to now "
         "(-1d, 2h45m).",
         &min_time)
      .Default("0000-01-01T00:00:00Z");
  f.Time("max-time",
         "End of time range limit to serve: only blocks that happened earlier: RFC3339, or a duration relative to now "
         "(-1d, 2h45m).",
         &max_time)
      .Default("9999-12-31T23:59:59Z");
  f.Config("selector.relabel-config", "YAML file with relabeling configuration that allows selecting blocks.",
           &relabel);
}

std::vector<std::string> BucketWebFlags::Doubts() const {
  std::vector<std::string> doubts;
  if (refresh < std::chrono::minutes(5))
    doubts.emplace_back("Refreshing more often than 5m could lead to large data transfers");
  if (timeout < std::chrono::minutes(1)) doubts.emplace_back("Timeout less than 1m could lead to frequent failures");
  if (refresh < 2 * timeout) doubts.emplace_back("Refresh interval should be at least 2 times the timeout");
  return doubts;
}

std::vector<std::shared_ptr<blocks::MetaFilter>> FiltersOf(const BucketWebFlags& flags, Relabeler relabeler) {
  std::vector<std::shared_ptr<blocks::MetaFilter>> filters;
  filters.push_back(
      std::make_shared<blocks::TimePartitionFilter>([&flags] { return flags.min_time.At(SystemClock().NowMs()); },
                                                    [&flags] { return flags.max_time.At(SystemClock().NowMs()); }));
  filters.push_back(std::make_shared<blocks::ShardFilter>(std::move(relabeler)));
  filters.push_back(std::make_shared<blocks::DeduplicateFilter>());
  return filters;
}

Status RunBucketWeb(const GlobalFlags& global, const BucketWebFlags& flags,
                    std::map<std::string, std::string> flag_values, int* exit_code) {
  GN_ASSIGN(std::unique_ptr<Runtime> runtime, Runtime::Make(global, "bucket"));
  telemetry::Logger& logger = runtime->logger();
  for (const std::string& doubt : flags.Doubts()) GN_LOG(logger, kWarn, doubt);
  GN_ASSIGN(std::string relabel_yaml, flags.relabel.Load());
  Result<std::vector<RelabelConfig>> rules = config::ParseSelectorRelabel(relabel_yaml);
  if (!rules.ok()) return rules.status().Wrap("--selector.relabel-config");
  GN_ASSIGN(Relabeler relabeler, Relabeler::Make(*std::move(rules)));
  GN_ASSIGN(std::string bucket_yaml, flags.objstore.Load());
  Result<std::unique_ptr<objstore::Bucket>> bucket = objstore::MakeBucket(
      bucket_yaml, {runtime->blocking(), io::RealFileSystem(), logger, "bucket"}, runtime->registry());
  if (!bucket.ok()) return bucket.status().Wrap("--objstore.config");
  blocks::BlockCatalog catalog({}, **bucket, io::RealFileSystem(), runtime->blocking(), runtime->registry(), logger);
  blocks::MetaFetcher fetcher(catalog, FiltersOf(flags, std::move(relabeler)), runtime->registry(), logger,
                              SystemClock());

  server::MiddlewareOptions middleware_options;
  middleware_options.tracer = &runtime->tracer();
  middleware_options.cors = !flags.disable_cors;
  server::Middleware middleware(middleware_options, runtime->registry(), logger);
  net::HttpRouter router(flags.route_prefix.empty() ? flags.external_prefix : flags.route_prefix, middleware.Around());
  server::AddCommonRoutes(router, runtime->prober(), runtime->registry());
  api::BlockViewer viewer({.label = flags.label,
                           .admin = !flags.disable_admin,
                           .default_view = "global",
                           .external_prefix = flags.external_prefix,
                           .prefix_header = flags.prefix_header},
                          **bucket, SystemClock());
  viewer.Register(router);
  api::StatusHandlers status_handlers({"bucket", Version(), "", "", std::move(flag_values), SystemClock().NowMs()},
                                      nullptr);
  status_handlers.Register(router);
  fetcher.OnFetch([&viewer](const Result<blocks::BlockView>& found) { viewer.SetGlobal(found); });

  Runtime::Plan plan;
  plan.http = flags.http;
  plan.router = &router;
  plan.serve_grpc = false;
  plan.start = [&](const Cancel&) -> Status {
    runtime->prober().SetReady();
    return Status();
  };
  plan.background.emplace_back([&](const Cancel& cancel) {
    while (!cancel.stopped()) {
      CancelSource look(cancel, flags.timeout);
      Result<blocks::BlockView> found = fetcher.Fetch(look.cancel());
      Status status = found.ok() ? found->incomplete : found.status();
      if (!status.ok()) GN_LOG(logger, kWarn, "looking at the bucket", {"err", status});
      SleepFor(status.ok() ? flags.refresh : std::min(kRetry, flags.refresh), cancel);
    }
  });
  *exit_code = runtime->Run(std::move(plan));
  return Status();
}

}  // namespace

void AddBucketWebCommand(flags::App& app, flags::Command& bucket, const GlobalFlags& global) {
  flags::Command& command = bucket.AddCommand("web", "Web interface for remote storage bucket.");
  auto web_flags = std::make_shared<BucketWebFlags>();
  web_flags->Register(command.flags());
  SetBody(command, [&app, &global, &command, web_flags](int* exit_code) {
    return RunBucketWeb(global, *web_flags, app.Values(command), exit_code);
  });
}

}  // namespace gauntlet::app
