#include "app/sidecar_command.h"

#include <memory>
#include <utility>

#include "app/runtime.h"
#include "app/sidecar_flags.h"
#include "app/sidecar_upload.h"
#include "base/clock.h"
#include "config/http_client_config.h"
#include "io/file_system.h"
#include "net/http/client.h"
#include "net/http/router.h"
#include "net/url.h"
#include "reloader/reload_trigger.h"
#include "reloader/reloader.h"
#include "server/http_client_options.h"
#include "sidecar/control_services.h"
#include "sidecar/heartbeat.h"
#include "sidecar/local_blocks.h"
#include "sidecar/prometheus_store.h"
#include "storeapi/store_server.h"

namespace gauntlet::app {
namespace {

struct SidecarFlags {
  server::HttpOptions http;
  server::GrpcOptions grpc;
  StoreLimitFlags limits;
  PrometheusFlags prometheus;
  ReloaderFlags reloader;
  UploadFlags upload;

  void Register(flags::FlagSet& f) {
    http.Register(f);
    grpc.Register(f);
    limits.Register(f);
    prometheus.Register(f);
    reloader.Register(f);
    upload.Register(f);
  }
};

Result<std::unique_ptr<net::HttpClient>> MakeClient(const PrometheusFlags& flags, telemetry::Logger& logger) {
  GN_ASSIGN(std::string yaml, flags.http_client.Load());
  net::HttpClientOptions options;
  if (!yaml.empty()) {
    Result<config::HttpClientConfig> config = config::ParseHttpClientConfig(yaml);
    if (!config.ok()) return config.status().Wrap("--prometheus.http-client");
    for (const std::string& field : config->ignored)
      GN_LOG(logger, kWarn, "ignored in --prometheus.http-client", {"what", field});
    options = server::ToHttpClientOptions(*config);
  }
  options.user_agent = "Gauntlet/" + Version();
  // Chunks do not get smaller by gzip; remote read compresses what does by itself.
  options.compression = false;
  return net::HttpClient::Make(std::move(options));
}

std::string WithoutTrailingSlash(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

std::unique_ptr<reloader::ReloadTrigger> MakeTrigger(const ReloaderFlags& flags, const std::string& base_url,
                                                     net::HttpClient& client) {
  if (flags.method == "http") return std::make_unique<reloader::HttpTrigger>(base_url, client);
  return std::make_unique<reloader::SignalTrigger>(flags.process, base_url, client, io::RealFileSystem(),
                                                   SystemClock());
}

reloader::ReloaderOptions ToOptions(const ReloaderFlags& flags) {
  reloader::ReloaderOptions options;
  options.config_file = flags.config_file;
  options.output_file = flags.output_file;
  options.folders = flags.rule_dirs;
  options.watch_interval = flags.watch_interval;
  options.retry_interval = flags.retry_interval;
  return options;
}

Status RunSidecar(const GlobalFlags& global, const SidecarFlags& flags, int* exit_code) {
  GN_ASSIGN(std::unique_ptr<Runtime> runtime, Runtime::Make(global, "sidecar"));
  GN_ASSIGN(std::string log_yaml, flags.prometheus.request_logging.Load());
  GN_ASSIGN(server::RequestLogConfig request_log, server::ParseRequestLogConfig(log_yaml));
  GN_ASSIGN(std::unique_ptr<net::HttpClient> client, MakeClient(flags.prometheus, runtime->logger()));
  Result<net::Url> url = net::Url::Parse(flags.prometheus.url);
  if (!url.ok()) return url.status().Wrap("--prometheus.url");

  sidecar::PrometheusApi api(WithoutTrailingSlash(flags.prometheus.url), *client);
  sidecar::HeartbeatOptions heartbeat_options;
  heartbeat_options.interval = flags.prometheus.get_config_interval;
  heartbeat_options.timeout = flags.prometheus.get_config_timeout;
  heartbeat_options.ready_timeout = flags.prometheus.ready_timeout;
  heartbeat_options.min_time_ms = [&flags] { return flags.prometheus.min_time.At(SystemClock().NowMs()); };
  std::unique_ptr<sidecar::LocalBlocks> blocks;
  if (flags.prometheus.read_blocks) {
    blocks = std::make_unique<sidecar::LocalBlocks>(io::RealFileSystem(), flags.prometheus.tsdb_path,
                                                    sidecar::LocalBlocksOptions(), SystemClock(), runtime->registry(),
                                                    runtime->logger());
    heartbeat_options.on_look = [&blocks](const sidecar::PrometheusState& state) { blocks->Compare(state); };
  }
  std::unique_ptr<reloader::ReloadTrigger> trigger = MakeTrigger(flags.reloader, api.base_url(), *client);
  reloader::Reloader reloader(ToOptions(flags.reloader), io::RealFileSystem(), *trigger, SystemClock(),
                              runtime->registry(), runtime->logger().With({{"component", "reloader"}}));
  // Before anything waits for Prometheus: it may wait for its configuration.
  if (Status prepared = reloader.Prepare(); !prepared.ok()) return prepared.Wrap("reloader");
  sidecar::Heartbeat heartbeat(heartbeat_options, api, runtime->registry(), runtime->logger());
  sidecar::RemoteReadOptions read_options;
  read_options.user_agent = "Gauntlet/" + Version();
  sidecar::PrometheusStore store(api, heartbeat, runtime->blocking(), read_options, blocks.get());
  storeapi::StoreServer store_server(store, {flags.limits.series, flags.limits.samples, false});
  sidecar::ControlServices control(api, heartbeat);
  GN_ASSIGN(std::unique_ptr<SidecarUpload> upload,
            SidecarUpload::Make(flags.prometheus, flags.upload, *runtime, api, heartbeat));

  net::HttpRouter router;
  server::AddCommonRoutes(router, runtime->prober(), runtime->registry());
  Runtime::Plan plan;
  plan.http = flags.http;
  plan.router = &router;
  plan.grpc = flags.grpc;
  plan.request_log = std::move(request_log);
  rpc::RegisterStore(store_server, &plan.methods);
  control.Register(&plan.methods);
  plan.beside = [&](const Cancel& cancel) { reloader.Run(cancel); };
  plan.start = [&](const Cancel& cancel) -> Status {
    if (upload != nullptr) GN_TRY(upload->Check(cancel));
    GN_TRY(heartbeat.WaitUntilUp(cancel));
    auto state = heartbeat.state();
    GN_LOG(runtime->logger(), kInfo, "Prometheus is there", {"url", api.base_url()}, {"version", state->version.text},
           {"external_labels", state->external_labels.ToString()});
    runtime->prober().SetReady();
    return Status();
  };
  plan.background.emplace_back([&](const Cancel& cancel) {
    heartbeat.Run(cancel, [&](bool up) {
      if (up) {
        runtime->prober().SetReady();
      } else {
        runtime->prober().SetNotReady(Status(Code::kUnavailable, "Prometheus does not answer"));
      }
    });
  });
  if (upload != nullptr) plan.background.emplace_back([&](const Cancel& cancel) { upload->Run(cancel); });
  *exit_code = runtime->Run(std::move(plan));
  return Status();
}

}  // namespace

void AddSidecarCommand(flags::App& app, const GlobalFlags& global) {
  flags::Command& command = app.AddCommand("sidecar", "Sidecar for Prometheus server.");
  auto sidecar_flags = std::make_shared<SidecarFlags>();
  sidecar_flags->Register(command.flags());
  SetBody(command, [&global, sidecar_flags](int* exit_code) { return RunSidecar(global, *sidecar_flags, exit_code); });
}

}  // namespace gauntlet::app
