// Health: gRPC's health checking service (grpc.health.v1), with a status that the component sets.
//
// Format:  https://github.com/grpc/grpc/blob/master/doc/health-checking.md
// Threads: thread-safe.

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "base/mutex.h"
#include "rpc/method.h"

namespace gauntlet::rpc {

enum class ServingStatus : uint8_t { kUnknown, kServing, kNotServing, kServiceUnknown };  // the contract's numbers

class HealthService {
 public:
  // The server as a whole, "", starts as serving.
  HealthService();
  void Set(const std::string& service, ServingStatus status);
  // Everything is and stays not serving: for a shutdown. Later calls of Set are without effect.
  void ShutDown();
  // Check, Watch and List. The service must outlive the server.
  void Register(MethodMap* methods);

 private:
  ServingStatus Get(const std::string& service) GN_REQUIRES(mutex_);
  net::GrpcStatus Check(const std::string& service, ServingStatus* status);
  net::GrpcStatus Watch(const std::string& service, net::GrpcServerCall& call);

  Mutex mutex_;
  CondVar changed_;
  std::map<std::string, ServingStatus> services_ GN_GUARDED_BY(mutex_);
  bool shut_down_ GN_GUARDED_BY(mutex_) = false;
};

}  // namespace gauntlet::rpc
