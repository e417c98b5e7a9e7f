#include "server/middleware.h"

#include "base/clock.h"
#include "base/ulid.h"
#include "json/writer.h"

namespace gauntlet::server {
namespace {

constexpr char kTraceIdHeader[] = "X-Thanos-Trace-Id";
constexpr char kForceTracingHeader[] = "X-Thanos-Force-Tracing";
constexpr size_t kRequestIdBytesMax = 128;  // longer ones, and odd ones, are replaced: they go into logs and metadata

bool UsableRequestId(std::string_view id) {
  if (id.empty() || id.size() > kRequestIdBytesMax) return false;
  for (char c : id) {
    if (c <= ' ' || c >= 0x7f) return false;
  }
  return true;
}

// The API's envelope, which its clients parse.
void ReplyBadTenant(net::HttpReply& reply, const Status& why) {
  reply.SetStatus(why.code() == Code::kDenied ? 401 : 400);
  reply.headers().Set("Content-Type", "application/json");
  std::string body;
  json::Writer(&body)
      .BeginObject()
      .StringMember("status", "error")
      .StringMember("errorType", "bad_data")
      .StringMember("error", why.message())
      .EndObject();
  (void)reply.Write(body);
}

}  // namespace

std::string_view RequestId(const net::HttpRequest& request) { return request.headers.Get(kRequestIdHeader); }

telemetry::SpanContext TraceOf(const net::HttpRequest& request) {
  return telemetry::SpanContext::FromTraceparent(request.headers.Get("traceparent")).value_or(telemetry::SpanContext());
}

void SetCorsHeaders(net::HttpReply& reply) {
  reply.headers().Set("Access-Control-Allow-Headers", "Accept, Accept-Encoding, Authorization, Content-Type, Origin");
  reply.headers().Set("Access-Control-Allow-Methods", "GET, POST, OPTIONS");
  reply.headers().Set("Access-Control-Allow-Origin", "*");
  reply.headers().Set("Access-Control-Expose-Headers", "Date");
}

Middleware::Middleware(MiddlewareOptions options, telemetry::Registry& registry, const telemetry::Logger& logger)
    : options_(std::move(options)), metrics_(registry, options_.tenancy.has_value()), log_(options_.log, logger) {}

net::HttpRouter::Around Middleware::Around() {
  return [this](const net::HttpHandler& handler, net::HttpRequest& request, const Cancel& cancel,
                net::HttpReply& reply) { Serve(handler, request, cancel, reply); };
}

void Middleware::Serve(const net::HttpHandler& handler, net::HttpRequest& request, const Cancel& cancel,
                       net::HttpReply& reply) {
  if (request.route.empty()) return handler(request, cancel, reply);
  ReplyObserver observed(reply);
  if (!UsableRequestId(RequestId(request))) {
    request.headers.Set(kRequestIdHeader, Ulid::Make(SystemClock().NowMs()).ToString());
  }
  reply.headers().Set(kRequestIdHeader, RequestId(request));
  if (options_.cors) SetCorsHeaders(reply);
  auto traced = [&](const net::HttpHandler& inner) {
    net::HttpHandler serve = [&](const net::HttpRequest&, const Cancel&, net::HttpReply&) {
      ServeTraced(inner, request, cancel, observed);
    };
    metrics_.Serve(serve, request, cancel, observed);
  };
  if (options_.tenancy) {
    Result<std::string> tenant = TenantOf(request, *options_.tenancy);
    if (!tenant.ok()) {
      // Counted for the default tenant: a name that is refused must not become a label.
      request.tenant = options_.tenancy->default_tenant;
      return traced(
          [&](const net::HttpRequest&, const Cancel&, net::HttpReply& to) { ReplyBadTenant(to, tenant.status()); });
    }
    request.tenant = *std::move(tenant);
  }
  traced(handler);
}

void Middleware::ServeTraced(const net::HttpHandler& handler, net::HttpRequest& request, const Cancel& cancel,
                             ReplyObserver& reply) {
  telemetry::Tracer& tracer = options_.tracer != nullptr ? *options_.tracer : no_tracer_;
  bool force = request.headers.Has(kForceTracingHeader);
  telemetry::Span span = tracer.Start("/" + request.route + " HTTP[server]", TraceOf(request),
                                      telemetry::SpanRecord::Kind::kServer, force);
  if (span.context().valid()) {
    request.headers.Set("traceparent", span.context().ToTraceparent());
    reply.headers().Set(kTraceIdHeader, span.context().TraceIdHex());
  }
  if (span.recording()) {
    span.SetAttribute("http.method", request.method);
    span.SetAttribute("http.url", request.target);
    span.SetAttribute("http.request_id", RequestId(request));
    if (force) span.SetAttribute("thanos.force_tracing", request.headers.Get(kForceTracingHeader));
  }
  RequestLog::Decision log = log_.ForHttp(request);
  if (log.start) log_.HttpStarted(request);
  auto start = std::chrono::steady_clock::now();
  handler(request, cancel, reply);
  if (log.end) log_.HttpEnded(request, reply.status(), std::chrono::steady_clock::now() - start);
  span.SetAttribute("http.status_code", std::to_string(reply.status()));
  if (reply.status() >= 500) span.SetError(net::HttpStatusText(reply.status()));
}

}  // namespace gauntlet::server
