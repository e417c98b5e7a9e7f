#include "app/compact_command.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "api/block_viewer/block_viewer.h"
#include "api/status_handlers.h"
#include "app/compact_flags.h"
#include "app/runtime.h"
#include "base/clock.h"
#include "base/memory_budget.h"
#include "base/sleep.h"
#include "compactor/node.h"
#include "config/relabel.h"
#include "io/file_system.h"
#include "net/http/router.h"
#include "objstore/config.h"
#include "server/middleware.h"

namespace gauntlet::app {
namespace {

using std::chrono::milliseconds;

struct AllCompactFlags {
  server::HttpOptions http;
  CompactBlockFlags blocks;
  CompactLoopFlags loop;
  CompactMergeFlags merge;
  CompactWebFlags web;

  void Register(flags::FlagSet& f) {
    http.Register(f);
    blocks.Register(f);
    loop.Register(f);
    merge.Register(f);
    web.Register(f);
  }
};

size_t AtLeastOne(int n) { return static_cast<size_t>(std::max(n, 1)); }

tsdb::MergeKind KindOf(const std::string& function) {
  if (function == "penalty") return tsdb::MergeKind::kPenalty;
  return function == "penalty-exact" ? tsdb::MergeKind::kPenaltyExact : tsdb::MergeKind::kChain;
}

Result<compactor::NodeOptions> NodeOptionsOf(const AllCompactFlags& flags) {
  compactor::NodeOptions o;
  o.data_dir = flags.blocks.data_dir;
  o.strategy = flags.blocks.strategy == "recursive" ? blocks::DiscoveryStrategy::kRecursive
                                                    : blocks::DiscoveryStrategy::kConcurrent;
  o.meta_concurrency = AtLeastOne(flags.blocks.meta_concurrency);
  GN_ASSIGN(std::string relabel_yaml, flags.blocks.relabel.Load());
  Result<std::vector<RelabelConfig>> rules = config::ParseSelectorRelabel(relabel_yaml);
  if (!rules.ok()) return rules.status().Wrap("--selector.relabel-config");
  GN_ASSIGN(o.sync.relabeler, Relabeler::Make(*std::move(rules)));
  o.sync.min_time_ms = [at = flags.blocks.min_time] { return at.At(SystemClock().NowMs()); };
  o.sync.max_time_ms = [at = flags.blocks.max_time] { return at.At(SystemClock().NowMs()); };
  o.sync.replica_labels = SplitLabels(flags.merge.replica_labels);
  o.sync.consistency_delay = o.loop.consistency_delay = flags.blocks.consistency_delay;
  o.sync.delete_delay = o.loop.delete_delay = flags.blocks.delete_delay;
  o.sync.downsampling = o.loop.downsampling = !flags.merge.downsampling_off;
  o.loop.concurrency = AtLeastOne(flags.loop.concurrency);
  o.loop.downsample_concurrency = AtLeastOne(flags.loop.downsample_concurrency);
  o.loop.retention = {{0, flags.merge.keep_raw},
                      {compactor::kFiveMinutesMs, flags.merge.keep_5m},
                      {compactor::kOneHourMs, flags.merge.keep_1h}};
  o.loop.patience = flags.loop.wait_interval;
  o.runner.vertical = flags.merge.vertical || !o.sync.replica_labels.empty();
  o.runner.skip_unordered_chunks = flags.merge.skip_unordered_chunks;
  o.runner.auto_repair = flags.merge.auto_repair;
  o.merge_kind = KindOf(flags.merge.function);
  o.blocks_concurrency = AtLeastOne(flags.loop.fetch_concurrency);
  o.output.hash_function = flags.merge.hash_function;
  o.output.files_concurrency = AtLeastOne(flags.blocks.files_concurrency);
  o.output.accept_malformed_index = flags.merge.accept_malformed_index;
  o.level_max = flags.merge.level_max;
  o.index_bytes_max = static_cast<int64_t>(flags.merge.index_bytes_max);
  o.leases = flags.loop.leases;
  o.lease_time = flags.loop.lease_time;
  return o;
}

// Redraws one line of the terminal, over which the next line of the log is written; an empty one goes away.
void DrawLine(const std::string& line) {
  std::fprintf(stderr, "\r\033[K%s\r", line.c_str());
  std::fflush(stderr);
}

// Runs `body` every `interval` until the cancel; not at all for 0.
std::function<void(const Cancel&)> Every(milliseconds interval, std::function<void(const Cancel&)> body) {
  return [interval, body = std::move(body)](const Cancel& cancel) {
    if (interval.count() <= 0) return;
    do body(cancel);
    while (SleepFor(interval, cancel));
  };
}

// What keeps a run without --wait from being a success, though all else was done.
Status QuarantineStatus(const compactor::Quarantine& quarantine) {
  const auto marks = quarantine.marks();
  if (marks.empty()) return Status();
  const compactor::QuarantineMark& first = marks.begin()->second;
  return {Code::kCorrupt, std::to_string(marks.size()) + " blocks or groups are quarantined, the first " +
                              first.subject + ": " + first.details + "; " + first.repair};
}

server::MiddlewareOptions MiddlewareOptionsOf(const CompactWebFlags& flags, Runtime& runtime) {
  server::MiddlewareOptions options;
  options.tracer = &runtime.tracer();
  options.cors = !flags.web.disable_cors;
  return options;
}

Status RunCompact(const GlobalFlags& global, const AllCompactFlags& flags,
                  std::map<std::string, std::string> flag_values, int* exit_code) {
  GN_TRY(flags.merge.Check());
  GN_ASSIGN(std::unique_ptr<Runtime> runtime, Runtime::Make(global, "compact"));
  telemetry::Logger& logger = runtime->logger();
  GN_ASSIGN(compactor::NodeOptions options, NodeOptionsOf(flags));
  GN_ASSIGN(std::string bucket_yaml, flags.blocks.objstore.Load());
  io::FileSystem& files = io::RealFileSystem();
  Result<std::unique_ptr<objstore::Bucket>> bucket =
      objstore::MakeBucket(bucket_yaml, {runtime->blocking(), files, logger, "compact"}, runtime->registry());
  if (!bucket.ok()) return bucket.status().Wrap("--objstore.config");
  // As in the original, the page of blocks is there with --wait.
  const bool shows_blocks = flags.loop.wait && !flags.web.disable;
  api::BlockViewer viewer({.label = flags.web.label,
                           .admin = !flags.web.disable_admin,
                           .default_view = "global",
                           .external_prefix = flags.web.web.external_prefix,
                           .prefix_header = flags.web.web.prefix_header},
                          **bucket, SystemClock());
  if (shows_blocks)
    options.sync.on_fetch = [&viewer](const Result<blocks::BlockView>& found) { viewer.SetLoaded(found); };
  MemoryBudget budget("process", ProcessMemoryLimit(flags.loop.memory_limit));
  compactor::Progress::Draw draw;
  if (isatty(STDERR_FILENO) == 1) draw = DrawLine;
  GN_ASSIGN(std::unique_ptr<compactor::Node> node,
            compactor::Node::Make(options, {**bucket, files, runtime->blocking(), runtime->workers(),
                                            runtime->registry(), logger, SystemClock(), draw, &budget}));
  if (options.runner.vertical) {
    GN_LOG(logger, kInfo, "vertical compaction is enabled",
           {"compact.enable-vertical-compaction", flags.merge.vertical},
           {"replica_labels", options.sync.replica_labels.size()});
  }
  if (options.level_max < compactor::kCompactionLevelMax) {
    GN_LOG(logger, kWarn, "max compaction level is lower than should be", {"current", options.level_max},
           {"default", compactor::kCompactionLevelMax});
  }

  server::Middleware middleware(MiddlewareOptionsOf(flags.web, *runtime), runtime->registry(), logger);
  // Not that of --web.external-prefix, as in the original: a proxy in front of it takes that off.
  net::HttpRouter router(flags.web.web.route_prefix, middleware.Around());
  server::AddCommonRoutes(router, runtime->prober(), runtime->registry());
  api::StatusHandlers status_handlers({"compact", Version(), "", "", std::move(flag_values), SystemClock().NowMs()},
                                      nullptr);
  telemetry::Registry global_registry;  // its counts would stand in the way of the compactor's own
  blocks::MetaFetcher everything(node->catalog(), {}, global_registry, logger, SystemClock());
  Runtime::Plan plan;
  plan.http = flags.http;
  plan.router = &router;
  plan.serve_grpc = false;
  compactor::Compactor& compactor = node->compactor();
  compactor::CompactMetrics& metrics = node->metrics();
  if (compactor::Leases* leases = node->leases(); leases != nullptr) {
    // Beside everything, also a run without --wait.
    plan.beside = Every(leases->time() / 3, [leases](const Cancel& cancel) { leases->RenewAll(cancel); });
  }
  if (!flags.loop.wait) {
    plan.ends_after_start = true;
    plan.start = [&](const Cancel& cancel) -> Status {
      runtime->prober().SetReady();
      GN_TRY(compactor.Iterate(cancel));
      return QuarantineStatus(node->quarantine());
    };
  } else {
    plan.start = [&](const Cancel&) {
      runtime->prober().SetReady();
      return Status();
    };
    plan.background.push_back(Every(std::max(flags.loop.wait_interval, milliseconds(1)), [&](const Cancel& cancel) {
      Status status = compactor.Iterate(cancel);
      if (cancel.stopped()) return;
      if (status.ok()) {
        metrics.iterations.Add();
        if (!flags.merge.halt_on_error) {
          if (Status found = QuarantineStatus(node->quarantine()); !found.ok()) runtime->End(std::move(found));
        }
        return;
      }
      GN_LOG(logger, kError, "retriable error", {"err", status});
      metrics.retries.Add();
    }));
    if (shows_blocks) {
      viewer.Register(router);
      status_handlers.Register(router);
      plan.background.push_back(Every(flags.web.view_interval, [&](const Cancel& cancel) {
        CancelSource limit(cancel, flags.web.view_timeout);
        viewer.SetGlobal(everything.Fetch(limit.cancel()));
      }));
    }
    plan.background.push_back(
        Every(flags.loop.cleanup_interval, [&](const Cancel& cancel) { compactor.Clean(cancel); }));
    plan.background.push_back(Every(flags.loop.progress_interval, [&](const Cancel& cancel) {
      Status status = compactor.MeasureBacklog(cancel);
      if (status.ok() || cancel.stopped()) return;
      GN_LOG(logger, kError, "retriable error", {"err", status});
      metrics.retries.Add();
    }));
  }
  *exit_code = runtime->Run(std::move(plan));
  return Status();
}

}  // namespace

void AddCompactCommand(flags::App& app, const GlobalFlags& global) {
  flags::Command& command = app.AddCommand("compact", "Continuously compacts blocks in an object store bucket.");
  auto compact_flags = std::make_shared<AllCompactFlags>();
  compact_flags->Register(command.flags());
  SetBody(command, [&app, &global, &command, compact_flags](int* exit_code) {
    return RunCompact(global, *compact_flags, app.Values(command), exit_code);
  });
}

}  // namespace gauntlet::app
