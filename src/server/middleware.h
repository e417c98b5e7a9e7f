// Middleware: what happens around every handler of the API: tenant, request id, trace, metrics, request log, CORS.
//
// A handler finds the tenant in request.tenant, the request's id in the header X-Request-ID, and its span in the header
// traceparent: RequestId() and TraceOf() read them.
// Upstream: thanos pkg/extprom/http, pkg/logging, pkg/tracing, pkg/server/http/middleware
// Threads:  thread-safe.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "net/http/router.h"
#include "server/http_metrics.h"
#include "server/request_log.h"
#include "server/tenancy.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"
#include "telemetry/trace.h"

namespace gauntlet::server {

inline constexpr char kRequestIdHeader[] = "X-Request-ID";

std::string_view RequestId(const net::HttpRequest& request);
telemetry::SpanContext TraceOf(const net::HttpRequest& request);
// What Prometheus' API answers to browsers on other pages.
void SetCorsHeaders(net::HttpReply& reply);

struct MiddlewareOptions {
  std::optional<TenancyOptions> tenancy;  // nullopt: the component has no tenants, and no tenant label
  RequestLogConfig log;
  telemetry::Tracer* tracer = nullptr;  // null: contexts are passed on only
  bool cors = true;
};

class Middleware {
 public:
  Middleware(MiddlewareOptions options, telemetry::Registry& registry, const telemetry::Logger& logger);

  // For HttpRouter. Routes without a name (probes, metrics, profiles) are served as they are. Must not outlive this.
  net::HttpRouter::Around Around();
  void Serve(const net::HttpHandler& handler, net::HttpRequest& request, const Cancel& cancel, net::HttpReply& reply);

 private:
  void ServeTraced(const net::HttpHandler& handler, net::HttpRequest& request, const Cancel& cancel,
                   ReplyObserver& reply);

  const MiddlewareOptions options_;
  HttpMetrics metrics_;
  const RequestLog log_;
  telemetry::Tracer no_tracer_;
};

}  // namespace gauntlet::server
