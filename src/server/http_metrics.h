// HttpMetrics: counts, latencies and sizes of HTTP requests under the names that Thanos' dashboards read.
//
// Upstream: thanos pkg/extprom/http
// Threads:  thread-safe.

#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "net/http/server.h"
#include "telemetry/metrics.h"

namespace gauntlet::server {

// Passes an answer on and remembers its status and length. One thread at a time.
class ReplyObserver final : public net::HttpReply {
 public:
  explicit ReplyObserver(net::HttpReply& to) : to_(to) {}
  void SetStatus(int status) override {
    status_ = status;
    to_.SetStatus(status);
  }
  net::HttpHeaders& headers() override { return to_.headers(); }
  Status Write(std::string_view bytes) override {
    bytes_ += bytes.size();
    return to_.Write(bytes);
  }
  Status WriteOwned(std::string bytes) override {
    bytes_ += bytes.size();
    return to_.WriteOwned(std::move(bytes));
  }
  Status Flush() override { return to_.Flush(); }
  void Abort() override { to_.Abort(); }
  int status() const { return status_; }
  size_t bytes() const { return bytes_; }  // of the body, before compression

 private:
  net::HttpReply& to_;
  int status_ = 200;
  size_t bytes_ = 0;
};

class HttpMetrics {
 public:
  // `with_tenant`: every metric has the label tenant as well.
  HttpMetrics(telemetry::Registry& registry, bool with_tenant);

  // Calls `handler` and counts. Labels: handler = request.route, tenant = request.tenant.
  void Serve(const net::HttpHandler& handler, const net::HttpRequest& request, const Cancel& cancel,
             ReplyObserver& reply);

 private:
  const bool with_tenant_;
  telemetry::Family<telemetry::Counter> requests_;
  telemetry::Family<telemetry::Histogram> duration_;
  telemetry::Family<telemetry::Summary> request_bytes_, response_bytes_;
  telemetry::Family<telemetry::Gauge> in_flight_;
};

}  // namespace gauntlet::server
