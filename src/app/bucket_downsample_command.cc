#include "app/bucket_downsample_command.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "app/bucket_session.h"
#include "base/clock.h"
#include "base/sleep.h"
#include "compactor/node.h"
#include "io/file_system.h"
#include "net/http/router.h"
#include "server/middleware.h"

namespace gauntlet::app {
namespace {

using std::chrono::milliseconds;

struct DownsampleFlags {
  server::HttpOptions http;
  flags::ConfigSource objstore;
  milliseconds wait_interval{5 * 60'000};
  int concurrency = 1, files_concurrency = 1;
  std::string data_dir = "./data", hash_function;

  void Register(flags::FlagSet& f) {
    http.Register(f);
    f.Config("objstore.config", "YAML file that contains object store configuration.", &objstore, true);
    f.GoDuration("wait-interval", "Wait interval between downsample runs.", &wait_interval);
    f.Int("downsample.concurrency", "Number of goroutines to use when downsampling blocks.", &concurrency);
    f.Int("block-files-concurrency",
          "Number of goroutines to use when fetching/uploading block files from object storage.", &files_concurrency);
    f.String("data-dir", "Data directory in which to cache blocks and process downsamplings.", &data_dir);
    RegisterHashFunction(f, &hash_function);
  }
};

compactor::NodeOptions NodeOptionsOf(const DownsampleFlags& o) {
  compactor::NodeOptions options;
  options.data_dir = o.data_dir;
  options.sync.consistency_delay = options.loop.consistency_delay = milliseconds(0);
  options.loop.downsample_concurrency = static_cast<size_t>(std::max(o.concurrency, 1));
  options.output.hash_function = o.hash_function;
  options.output.files_concurrency = static_cast<size_t>(std::max(o.files_concurrency, 1));
  options.leases = false;  // results have the same ids, whoever makes them
  return options;
}

Status RunDownsample(const GlobalFlags& global, const DownsampleFlags& o, int* exit_code) {
  GN_ASSIGN(Session session, OpenSession(global, o.objstore, "downsample"));
  Runtime& runtime = *session.runtime;
  GN_ASSIGN(std::unique_ptr<compactor::Node> node,
            compactor::Node::Make(NodeOptionsOf(o),
                                  {*session.bucket, io::RealFileSystem(), runtime.blocking(), runtime.workers(),
                                   runtime.registry(), session.logger(), SystemClock(), nullptr}));
  net::HttpRouter router;
  server::AddCommonRoutes(router, runtime.prober(), runtime.registry());
  Runtime::Plan plan;
  plan.http = o.http;
  plan.router = &router;
  plan.serve_grpc = false;
  plan.start = [&](const Cancel&) {
    runtime.prober().SetReady();
    return Status();
  };
  plan.background.emplace_back([&](const Cancel& cancel) {
    do {
      Status status = node->compactor().DownsampleAll(cancel);
      if (!status.ok() && !cancel.stopped()) GN_LOG(session.logger(), kError, "downsampling failed", {"err", status});
    } while (SleepFor(std::max(o.wait_interval, milliseconds(1)), cancel));
  });
  *exit_code = runtime.Run(std::move(plan));
  return Status();
}

}  // namespace

void AddBucketDownsampleCommand(flags::Command& bucket, const GlobalFlags& global) {
  auto flags = std::make_shared<DownsampleFlags>();
  flags::Command& command =
      bucket.AddCommand("downsample", "Continuously downsamples blocks in an object store bucket.");
  flags->Register(command.flags());
  SetBody(command, [&global, flags](int* exit_code) { return RunDownsample(global, *flags, exit_code); });
}

}  // namespace gauntlet::app
