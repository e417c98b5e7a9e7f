#include "server/request_log.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/decoder.h"

namespace gauntlet::server {
namespace {

using config::Decoder;
using telemetry::LogLevel;

struct Section {
  RequestLogOptions options;
  bool present = false;
};

void DecodeOptions(Decoder& decoder, Section* out) {
  out->present = decoder.Object("options", "logging.OptionsConfig", [out](Decoder& d) {
    std::string level;
    d.Require("level");
    if (d.Field("level", &level)) {
      if (level == "INFO") out->options.level = LogLevel::kInfo;
      if (level == "WARNING") out->options.level = LogLevel::kWarn;
      if (level == "ERROR") out->options.level = LogLevel::kError;
      if (level == "DEBUG") out->options.level = LogLevel::kDebug;
      if (!level.empty() && !out->options.level) {
        d.Fail("level", fmt::format("level \"{}\" is none of INFO, WARNING, ERROR, DEBUG", level));
      }
    }
    d.Object("decision", "logging.DecisionConfig", [out](Decoder& decision) {
      decision.Field("log_start", &out->options.log_start);
      decision.Field("log_end", &out->options.log_end);
      if (out->options.log_start && !out->options.log_end) {
        decision.Fail("log_start", "log start call is not supported without log end call");
      }
    });
  });
}

// The address that a proxy saw, or the peer's.
std::string RemoteAddress(const net::HttpRequest& request) {
  std::string_view forwarded = request.headers.Get("X-Forwarded-For");
  if (forwarded.empty()) return request.remote_address;
  return std::string(forwarded.substr(0, forwarded.find(',')));
}

int PortOf(std::string_view host) {
  size_t colon = host.rfind(':');
  if (colon == std::string_view::npos || host.ends_with(']')) return 0;
  int port = 0;
  for (char c : host.substr(colon + 1)) {
    if (c < '0' || c > '9' || port > 65535) return 0;
    port = port * 10 + (c - '0');
  }
  return port;
}

LogLevel GrpcLevel(net::GrpcCode code) {
  switch (code) {
    case net::GrpcCode::kUnknown:
    case net::GrpcCode::kUnimplemented:
    case net::GrpcCode::kInternal:
    case net::GrpcCode::kDataLoss:
      return LogLevel::kError;
    default:
      return LogLevel::kDebug;
  }
}

double Milliseconds(std::chrono::nanoseconds took) { return static_cast<double>(took.count()) / 1e6; }

}  // namespace

Result<RequestLogConfig> ParseRequestLogConfig(std::string_view yaml) {
  RequestLogConfig config;
  Section global, http, grpc;
  Status status = config::DecodeYaml(yaml, "logging.RequestConfig", [&](Decoder& d) {
    DecodeOptions(d, &global);
    d.Object("http", "logging.HTTPProtocolConfigs", [&](Decoder& p) {
      DecodeOptions(p, &http);
      p.Each("config", "logging.HTTPProtocolConfig", [&](Decoder& one) {
        auto& added = config.http_only.emplace_back();
        one.Require("path");
        one.Field("path", &added.path);
        one.Field("port", &added.port);
      });
    });
    d.Object("grpc", "logging.GRPCProtocolConfigs", [&](Decoder& p) {
      DecodeOptions(p, &grpc);
      p.Each("config", "logging.GRPCProtocolConfig", [&](Decoder& one) {
        auto& added = config.grpc_only.emplace_back();
        one.Require("service");
        one.Require("method");
        one.Field("service", &added.service);
        one.Field("method", &added.method);
      });
    });
  });
  if (!status.ok()) return std::move(status).Wrap("request logging config");
  config.http = http.present ? http.options : global.options;
  config.grpc = grpc.present ? grpc.options : global.options;
  return config;
}

RequestLog::Decision RequestLog::ForHttp(const net::HttpRequest& request) const {
  if (!config_.http.log_end) return {};
  if (!config_.http_only.empty()) {
    int port = PortOf(request.headers.Get("Host"));
    bool named = std::any_of(config_.http_only.begin(), config_.http_only.end(),
                             [&](const auto& one) { return one.path == request.path && one.port == port; });
    if (!named) return {};
  }
  return {config_.http.log_start, true};
}

void RequestLog::HttpStarted(const net::HttpRequest& request) const {
  if (*config_.http.level > LogLevel::kDebug) return;
  GN_LOG(logger_, kDebug, "started call", {"http.request_id", request.headers.Get("X-Request-ID")},
         {"http.method", request.method + " " + request.target}, {"http.user_agent", request.headers.Get("User-Agent")},
         {"http.remote_addr", RemoteAddress(request)}, {"thanos.method_name", request.route}, {"protocol", "http"});
}

void RequestLog::HttpEnded(const net::HttpRequest& request, int status, std::chrono::nanoseconds took) const {
  LogLevel level = status >= 200 && status < 500 ? LogLevel::kDebug : LogLevel::kError;
  if (level < *config_.http.level || !logger_.enabled(level)) return;
  logger_.Write(level, __FILE__, __LINE__, "finished call",
                {{"http.request_id", request.headers.Get("X-Request-ID")},
                 {"http.method", request.method + " " + request.target},
                 {"http.user_agent", request.headers.Get("User-Agent")},
                 {"http.remote_addr", RemoteAddress(request)},
                 {"http.status_code", status},
                 {"http.time_ms", Milliseconds(took)},
                 {"thanos.method_name", request.route},
                 {"protocol", "http"}});
}

RequestLog::Decision RequestLog::ForGrpc(std::string_view method) const {
  if (!config_.grpc.log_end) return {};
  if (!config_.grpc_only.empty()) {
    bool named = std::any_of(config_.grpc_only.begin(), config_.grpc_only.end(),
                             [&](const auto& one) { return method == fmt::format("/{}/{}", one.service, one.method); });
    if (!named) return {};
  }
  return {config_.grpc.log_start, true};
}

net::GrpcServer::Interceptor RequestLog::GrpcInterceptor() const {
  return [self = *this](net::GrpcServerCall& call, const net::GrpcHandler& next) -> net::GrpcStatus {
    const RequestLogOptions& options = self.config_.grpc;
    const telemetry::Logger& logger = self.logger_;
    Decision decision = self.ForGrpc(call.method());
    if (!decision.end) return next(call);
    auto id = call.metadata().find("request-id");
    std::string request_id = id == call.metadata().end() ? "" : id->second;
    size_t slash = call.method().rfind('/');
    std::string service = call.method().substr(1, slash - 1), method = call.method().substr(slash + 1);
    if (decision.start && *options.level <= LogLevel::kDebug) {
      GN_LOG(logger, kDebug, "started call", {"grpc.service", service}, {"grpc.method", method},
             {"grpc.request_id", request_id}, {"peer.address", call.peer_address()}, {"protocol", "grpc"});
    }
    auto start = std::chrono::steady_clock::now();
    net::GrpcStatus status = next(call);
    LogLevel level = GrpcLevel(status.code);
    if (level >= *options.level && logger.enabled(level)) {
      logger.Write(level, __FILE__, __LINE__, "finished call",
                   {{"grpc.service", service},
                    {"grpc.method", method},
                    {"grpc.request_id", request_id},
                    {"grpc.code", net::GrpcCodeText(status.code)},
                    {"grpc.error", status.message},
                    {"grpc.time_ms", Milliseconds(std::chrono::steady_clock::now() - start)},
                    {"peer.address", call.peer_address()},
                    {"protocol", "grpc"}});
    }
    return status;
  };
}

}  // namespace gauntlet::server
