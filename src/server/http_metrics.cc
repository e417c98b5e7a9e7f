#include "server/http_metrics.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <vector>

namespace gauntlet::server {
namespace {

// Other words would let a client make metrics without end.
std::string_view MethodLabel(std::string_view method) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kKnown = {{{"GET", "get"},
                                                                                    {"POST", "post"},
                                                                                    {"PUT", "put"},
                                                                                    {"HEAD", "head"},
                                                                                    {"DELETE", "delete"},
                                                                                    {"OPTIONS", "options"},
                                                                                    {"CONNECT", "connect"},
                                                                                    {"TRACE", "trace"},
                                                                                    {"PATCH", "patch"}}};
  for (const auto& [name, label] : kKnown) {
    if (name == method) return label;
  }
  return "unknown";
}

// About what came over the wire.
size_t RequestBytes(const net::HttpRequest& request) {
  size_t bytes = request.method.size() + request.target.size() + request.body.size() + std::size("HTTP/1.1");
  for (const auto& [name, value] : request.headers.all()) bytes += name.size() + value.size();
  return bytes;
}

std::vector<std::string> Labels(std::initializer_list<const char*> names, bool with_tenant) {
  std::vector<std::string> labels(names.begin(), names.end());
  if (with_tenant) labels.emplace_back("tenant");
  return labels;
}

}  // namespace

HttpMetrics::HttpMetrics(telemetry::Registry& registry, bool with_tenant)
    : with_tenant_(with_tenant),
      requests_(registry.MakeCounters("http_requests_total", "Tracks the number of HTTP requests.",
                                      Labels({"code", "handler", "method"}, with_tenant))),
      duration_(registry.MakeHistograms("http_request_duration_seconds", "Tracks the latencies for HTTP requests.",
                                        Labels({"code", "handler", "method"}, with_tenant),
                                        {0.001, 0.01, 0.1, 0.3, 0.6, 1, 3, 6, 9, 20, 30, 60, 90, 120, 240, 360, 720})),
      request_bytes_(registry.MakeSummaries("http_request_size_bytes", "Tracks the size of HTTP requests.",
                                            Labels({"code", "handler", "method"}, with_tenant))),
      response_bytes_(registry.MakeSummaries("http_response_size_bytes", "Tracks the size of HTTP responses.",
                                             Labels({"code", "handler", "method"}, with_tenant))),
      in_flight_(registry.MakeGauges("http_inflight_requests",
                                     "Current number of HTTP requests the handler is responding to.",
                                     Labels({"handler", "method"}, with_tenant))) {}

void HttpMetrics::Serve(const net::HttpHandler& handler, const net::HttpRequest& request, const Cancel& cancel,
                        ReplyObserver& reply) {
  std::string_view method = MethodLabel(request.method);
  std::array<std::string_view, 3> flying = {request.route, method, request.tenant};
  telemetry::Gauge& in_flight = in_flight_.Find({flying.data(), with_tenant_ ? size_t{3} : size_t{2}});
  in_flight.Add(1);
  auto start = std::chrono::steady_clock::now();
  handler(request, cancel, reply);
  std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  in_flight.Add(-1);
  std::string code = std::to_string(reply.status());
  std::array<std::string_view, 4> all = {code, request.route, method, request.tenant};
  std::span<const std::string_view> labels(all.data(), with_tenant_ ? size_t{4} : size_t{3});
  requests_.Find(labels).Add();
  duration_.Find(labels).Observe(took.count());
  request_bytes_.Find(labels).Observe(static_cast<double>(RequestBytes(request)));
  response_bytes_.Find(labels).Observe(static_cast<double>(reply.bytes()));
}

}  // namespace gauntlet::server
