// CallMetrics: grpc_server_* and grpc_client_*, as go-grpc-middleware names and counts them.
//
// Upstream: go-grpc-middleware providers/prometheus; the buckets are Thanos'
// Threads:  thread-safe. References it returns live as long as it.

#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/mutex.h"
#include "rpc/method.h"
#include "telemetry/metrics.h"

namespace gauntlet::rpc {

class CallMetrics {
 public:
  enum class Side : uint8_t { kServer, kClient };

  // The series of one method.
  struct Method {
    MethodInfo info;
    telemetry::Counter& started;
    telemetry::Counter& received;  // messages
    telemetry::Counter& sent;
    telemetry::Histogram& seconds;
  };

  CallMetrics(telemetry::Registry& registry, Side side);

  // Finds a method's series, or makes them; names come from our code or from Prepare(), never from a peer.
  const Method& Of(std::string_view full_name);
  // Counts the end of a call.
  void Handled(const Method& method, net::GrpcCode code, double seconds);
  // Makes the series of all these methods with all codes, so that rates have a start.
  void Prepare(const MethodMap& methods);

 private:
  telemetry::Family<telemetry::Counter> started_, handled_, received_, sent_;
  telemetry::Family<telemetry::Histogram> seconds_;
  Mutex mutex_;
  std::map<std::string, std::unique_ptr<Method>, std::less<>> methods_ GN_GUARDED_BY(mutex_);
};

}  // namespace gauntlet::rpc
