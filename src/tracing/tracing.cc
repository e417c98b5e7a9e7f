#include "tracing/tracing.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "io/compress.h"
#include "net/grpc/grpc.h"
#include "net/http/client.h"
#include "net/text.h"
#include "server/http_client_options.h"
#include "telemetry/build_info.h"
#include "tracing/otlp.h"

namespace gauntlet::tracing {
namespace {

constexpr char kMethod[] = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
constexpr size_t kAnswerBytesMax = 1 << 20;

std::map<std::string, std::string> Resource(const TracingConfig& config, const std::string& component) {
  std::map<std::string, std::string> resource = config.resource_attributes;
  resource.try_emplace("service.name", config.service_name.empty() ? component : config.service_name);
  resource.try_emplace("service.version", telemetry::ThisBuild().version);
  return resource;
}

Result<SpanBatcher::Send> MakeGrpcSend(const TracingConfig& config,
                                       const std::map<std::string, std::string>& resource) {
  net::GrpcChannelOptions options;
  std::string endpoint = config.endpoint.empty() ? "localhost:4317" : config.endpoint;
  if (size_t scheme = endpoint.find("://"); scheme != std::string::npos) endpoint.erase(0, scheme + 3);
  options.addresses = {endpoint};
  if (!config.insecure) options.tls = server::ToTlsClientOptions(config.tls);
  if (config.gzip) options.compression = net::GrpcCompression::kGzip;
  GN_ASSIGN(std::shared_ptr<net::GrpcChannel> channel, net::GrpcChannel::Make(std::move(options)));
  net::GrpcMetadata metadata;
  for (const auto& [name, value] : config.headers) metadata.emplace(net::LowerAscii(name), value.value());
  return SpanBatcher::Send(
      [channel, metadata, resource](const std::vector<telemetry::SpanRecord>& spans, const Cancel& cancel) {
        return channel->Unary(kMethod, EncodeSpans(spans, resource), metadata, cancel).status();
      });
}

// 429 and what proxies say of a collector that is away: worth another try.
Status HttpVerdict(const net::HttpAnswer& answer) {
  if (answer.status >= 200 && answer.status < 300) return Status();
  bool retry = answer.status == 429 || answer.status == 502 || answer.status == 503 || answer.status == 504;
  return Status(retry ? Code::kUnavailable : Code::kInvalid,
                fmt::format("collector answered {} {}", answer.status, net::HttpStatusText(answer.status)));
}

Result<SpanBatcher::Send> MakeHttpSend(const TracingConfig& config,
                                       const std::map<std::string, std::string>& resource) {
  net::HttpClientOptions options;
  options.tls = server::ToTlsClientOptions(config.tls);
  GN_ASSIGN(std::shared_ptr<net::HttpClient> client, net::HttpClient::Make(std::move(options)));
  net::HttpCall call;
  call.method = "POST";
  std::string endpoint = config.endpoint.empty() ? "localhost:4318" : config.endpoint;
  if (endpoint.find("://") == std::string::npos) endpoint = (config.insecure ? "http://" : "https://") + endpoint;
  std::string path = config.url_path.empty() ? "/v1/traces" : config.url_path;
  call.url = endpoint + (path.starts_with('/') ? "" : "/") + path;
  call.headers.Set("Content-Type", "application/x-protobuf");
  if (config.gzip) call.headers.Set("Content-Encoding", "gzip");
  for (const auto& [name, value] : config.headers) call.headers.Set(name, value.value());
  return SpanBatcher::Send([client, call, resource, gzip = config.gzip](const std::vector<telemetry::SpanRecord>& spans,
                                                                        const Cancel& cancel) -> Status {
    net::HttpCall mine = call;
    mine.body = EncodeSpans(spans, resource);
    if (gzip) mine.body = io::GzipCompress(mine.body, 1);
    GN_ASSIGN(net::HttpAnswer answer, client->Do(mine, cancel, kAnswerBytesMax));
    return HttpVerdict(answer);
  });
}

}  // namespace

Result<SpanBatcher::Send> MakeOtlpSend(const TracingConfig& config, const std::string& component) {
  auto resource = Resource(config, component);
  return config.client == TracingConfig::Client::kGrpc ? MakeGrpcSend(config, resource)
                                                       : MakeHttpSend(config, resource);
}

Result<std::unique_ptr<Tracing>> Tracing::Start(const TracingConfig& config, const std::string& component,
                                                telemetry::Registry& registry, const telemetry::Logger& logger,
                                                Executor& executor) {
  std::unique_ptr<Tracing> tracing(new Tracing);
  if (!config.enabled) {
    tracing->tracer_ = std::make_unique<telemetry::Tracer>();
    return tracing;
  }
  auto send = MakeOtlpSend(config, component);
  if (!send.ok()) return send.status().Wrap("set up the export of traces");
  SpanBatcherOptions options;
  options.send_timeout = config.timeout;
  options.retry = config.retry;
  tracing->batcher_ = std::make_unique<SpanBatcher>(options, *std::move(send), registry,
                                                    logger.With({{"component", "tracing"}}), executor);
  telemetry::Tracer::Options tracer;
  tracer.ratio = config.sample_ratio;
  tracer.parent_based = config.parent_based;
  tracer.exporter = tracing->batcher_->exporter();
  tracing->tracer_ = std::make_unique<telemetry::Tracer>(std::move(tracer));
  return tracing;
}

void Tracing::Flush() {
  if (batcher_ != nullptr) batcher_->Flush();
}

}  // namespace gauntlet::tracing
