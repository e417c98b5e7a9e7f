#include "server/prober.h"

namespace gauntlet::server {
namespace {

telemetry::Gauge& StatusGauge(telemetry::Registry& registry, const std::string& component, const char* check) {
  return registry
      .MakeGauges("thanos_status", "Represents status (0 indicates failure, 1 indicates success) of the component.",
                  {"component", "check"})
      .With({component, check});
}

net::HttpHandler Handler(const std::atomic<bool>& state) {
  return [&state](const net::HttpRequest&, const Cancel&, net::HttpReply& reply) {
    bool ok = state.load();
    reply.SetStatus(ok ? 200 : 503);
    reply.headers().Set("Content-Type", "text/plain; charset=utf-8");
    (void)reply.Write(ok ? "OK" : "NOT OK");
  };
}

}  // namespace

Prober::Prober(const std::string& component, telemetry::Registry& registry, const telemetry::Logger& logger)
    : logger_(logger),
      healthy_gauge_(StatusGauge(registry, component, "healthy")),
      ready_gauge_(StatusGauge(registry, component, "ready")) {}

void Prober::Set(std::atomic<bool>& state, telemetry::Gauge& gauge, const char* check, const Status& why) {
  gauge.Set(why.ok() ? 1 : 0);
  if (state.exchange(why.ok()) == why.ok()) return;
  if (why.ok()) {
    GN_LOG(logger_, kInfo, "changing probe status", {"status", check});
  } else {
    GN_LOG(logger_, kWarn, "changing probe status", {"status", std::string("not-") + check}, {"reason", why});
  }
}

net::HttpHandler Prober::HealthyHandler() const { return Handler(healthy_); }
net::HttpHandler Prober::ReadyHandler() const { return Handler(ready_); }

}  // namespace gauntlet::server
