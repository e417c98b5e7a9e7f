#include "rpc/call_metrics.h"

#include <vector>

namespace gauntlet::rpc {
namespace {

using Side = CallMetrics::Side;

const std::vector<std::string>& LabelNames() {
  static const auto& names = *new std::vector<std::string>{"grpc_method", "grpc_service", "grpc_type"};
  return names;
}

std::vector<double> Buckets(Side side) {
  std::vector<double> buckets = {0.001, 0.01, 0.1, 0.3, 0.6, 1, 3, 6, 9, 20, 30, 60, 90, 120};
  if (side == Side::kClient) buckets.insert(buckets.end(), {240, 360, 720});
  return buckets;
}

std::string Name(Side side, const char* what) {
  return std::string(side == Side::kServer ? "grpc_server_" : "grpc_client_") + what;
}

}  // namespace

CallMetrics::CallMetrics(telemetry::Registry& registry, Side side)
    : started_(registry.MakeCounters(Name(side, "started_total"),
                                     side == Side::kServer ? "Total number of RPCs started on the server."
                                                           : "Total number of RPCs started on the client.",
                                     LabelNames())),
      handled_(registry.MakeCounters(
          Name(side, "handled_total"),
          side == Side::kServer ? "Total number of RPCs completed on the server, regardless of success or failure."
                                : "Total number of RPCs completed by the client, regardless of success or failure.",
          {"grpc_code", "grpc_method", "grpc_service", "grpc_type"})),
      received_(registry.MakeCounters(Name(side, "msg_received_total"),
                                      side == Side::kServer
                                          ? "Total number of RPC stream messages received on the server."
                                          : "Total number of RPC stream messages received by the client.",
                                      LabelNames())),
      sent_(registry.MakeCounters(Name(side, "msg_sent_total"),
                                  side == Side::kServer ? "Total number of gRPC stream messages sent by the server."
                                                        : "Total number of gRPC stream messages sent by the client.",
                                  LabelNames())),
      seconds_(registry.MakeHistograms(
          Name(side, "handling_seconds"),
          side == Side::kServer
              ? "Histogram of response latency (seconds) of gRPC that had been application-level handled by the server."
              : "Histogram of response latency (seconds) of the gRPC until it is finished by the application.",
          LabelNames(), Buckets(side))) {}

const CallMetrics::Method& CallMetrics::Of(std::string_view full_name) {
  MutexLock lock(mutex_);
  auto found = methods_.find(full_name);
  if (found != methods_.end()) return *found->second;
  MethodInfo info = DescribeMethod(full_name);
  auto find = [&info](auto& family) -> auto& { return family.With({info.method, info.service, info.type}); };
  auto method = std::unique_ptr<Method>(new Method{info, find(started_), find(received_), find(sent_), find(seconds_)});
  return *methods_.emplace(full_name, std::move(method)).first->second;
}

void CallMetrics::Handled(const Method& method, net::GrpcCode code, double seconds) {
  handled_.With({net::GrpcCodeText(code), method.info.method, method.info.service, method.info.type}).Add();
  method.seconds.Observe(seconds);
}

void CallMetrics::Prepare(const MethodMap& methods) {
  for (const auto& [name, handler] : methods) {
    const MethodInfo& info = Of(name).info;
    for (int code = 0; code <= static_cast<int>(net::GrpcCode::kUnauthenticated); ++code)
      handled_.With({net::GrpcCodeText(static_cast<net::GrpcCode>(code)), info.method, info.service, info.type});
  }
}

}  // namespace gauntlet::rpc
