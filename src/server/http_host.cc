#include "server/http_host.h"

#include <algorithm>
#include <cstdlib>

#include "server/pprof.h"

namespace gauntlet::server {
namespace {

std::string_view Trim(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

std::string_view Cut(std::string_view& text, char separator) {
  size_t end = std::min(text.find(separator), text.size());
  std::string_view front = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return Trim(front);
}

}  // namespace

void HttpOptions::Register(flags::FlagSet& flags) {
  flags.String("http-address", "Listen host:port for HTTP endpoints.", &address);
  flags.GoDuration("http-grace-period", "Time to wait after an interrupt received for HTTP Server.", &grace);
  flags.String("http.config",
               "[EXPERIMENTAL] Path to the configuration file that can enable TLS or authentication for all HTTP "
               "endpoints.",
               &web_config_file);
}

bool PrefersOpenMetrics(std::string_view accept) {
  double open_metrics = 0, text = 0;
  while (!accept.empty()) {
    std::string_view range = Cut(accept, ',');
    std::string_view type = Cut(range, ';');
    std::string_view version;
    double q = 1;
    while (!range.empty()) {
      std::string_view parameter = Cut(range, ';');
      std::string_view name = Cut(parameter, '=');
      if (name == "q") q = std::atof(std::string(Trim(parameter)).c_str());
      if (name == "version") version = Trim(parameter);
    }
    if (type == "application/openmetrics-text" && (version.empty() || version == "1.0.0" || version == "0.0.1")) {
      open_metrics = std::max(open_metrics, q);
    } else if (type == "text/plain") {
      text = std::max(text, q);
    }
  }
  return open_metrics > 0 && open_metrics >= text;
}

void AddCommonRoutes(net::HttpRouter& router, const Prober& prober, const telemetry::Registry& registry) {
  router.AddUnprefixed("GET,HEAD", "/-/healthy", "", prober.HealthyHandler());
  router.AddUnprefixed("GET,HEAD", "/-/ready", "", prober.ReadyHandler());
  router.AddUnprefixed(
      "GET,HEAD", "/metrics", "", [&registry](const net::HttpRequest& request, const Cancel&, net::HttpReply& reply) {
        bool open_metrics = PrefersOpenMetrics(request.headers.Get("Accept"));
        reply.headers().Set("Content-Type", open_metrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                                         : "text/plain; version=0.0.4; charset=utf-8");
        (void)reply.Write(registry.Expose(open_metrics));
      });
  AddPprofRoutes(router);
}

HttpHost::HttpHost(const HttpOptions& options, const net::HttpRouter& router, const telemetry::Logger& logger,
                   std::unique_ptr<WebConfigFile> web_config)
    : options_(options), router_(router), logger_(logger), web_config_(std::move(web_config)) {}

HttpHost::~HttpHost() = default;

Result<std::unique_ptr<HttpHost>> HttpHost::Start(const HttpOptions& options, const net::HttpRouter& router,
                                                  const telemetry::Logger& logger, Executor& executor) {
  GN_ASSIGN(auto web_config, WebConfigFile::Open(options.web_config_file));
  std::unique_ptr<HttpHost> host(
      new HttpHost(options, router, logger.With({{"service", "http/server"}}), std::move(web_config)));
  net::HttpServerOptions server_options;
  server_options.address = options.address;
  HttpHost* self = host.get();
  server_options.tls = [self] { return self->web_config_->Tls(); };
  auto service = [self](net::HttpRequest& request, const Cancel& cancel, net::HttpReply& reply) {
    if (self->web_config_->Admit(request, reply)) self->router_.Serve(request, cancel, reply);
  };
  auto server = net::HttpServer::Start(std::move(server_options), service, executor);
  if (!server.ok()) return server.status().Wrap("listen for HTTP on " + options.address);
  host->server_ = *std::move(server);
  GN_LOG(host->logger_, kInfo, "listening for requests and metrics", {"address", options.address},
         {"port", host->port()});
  if (auto config = host->web_config_->Get(); config.ok() && (*config)->asks_http2) {
    GN_LOG(host->logger_, kWarn, "http2: true of the web configuration has no effect: clients are served by HTTP/1.1");
  }
  return host;
}

void HttpHost::Shutdown() {
  GN_LOG(logger_, kInfo, "internal server is shutting down", {"grace_ms", options_.grace.count()});
  server_->Shutdown(options_.grace);
  GN_LOG(logger_, kInfo, "internal server is shutdown gracefully");
}

}  // namespace gauntlet::server
