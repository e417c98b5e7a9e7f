#include "rpc/health.h"

#include "proto/grpc/health.pb.h"
#include "rpc/glue.h"
#include "wire/proto_convert.h"

namespace gauntlet::rpc {
namespace {

using net::GrpcCode;
using net::GrpcStatus;
using HealthRequest = grpc::health::v1::HealthCheckRequest;
using HealthResponse = grpc::health::v1::HealthCheckResponse;

constexpr const char* kCheck = "/grpc.health.v1.Health/Check";
constexpr const char* kWatch = "/grpc.health.v1.Health/Watch";
constexpr const char* kList = "/grpc.health.v1.Health/List";
constexpr size_t kListMax = 100;  // as grpc-go

std::string Encode(ServingStatus status) {
  HealthResponse response;
  response.set_status(static_cast<HealthResponse::ServingStatus>(status));
  return response.SerializeAsString();
}

}  // namespace

HealthService::HealthService() { services_[""] = ServingStatus::kServing; }

void HealthService::Set(const std::string& service, ServingStatus status) {
  MutexLock lock(mutex_);
  services_[service] = shut_down_ ? ServingStatus::kNotServing : status;
  changed_.NotifyAll();
}

void HealthService::ShutDown() {
  MutexLock lock(mutex_);
  shut_down_ = true;
  for (auto& [service, status] : services_) status = ServingStatus::kNotServing;
  changed_.NotifyAll();
}

ServingStatus HealthService::Get(const std::string& service) {
  auto found = services_.find(service);
  return found == services_.end() ? ServingStatus::kServiceUnknown : found->second;
}

GrpcStatus HealthService::Check(const std::string& service, ServingStatus* status) {
  MutexLock lock(mutex_);
  *status = Get(service);
  if (*status == ServingStatus::kServiceUnknown) return {GrpcCode::kNotFound, "unknown service"};
  return {};
}

// Sends the status now and at each change, until the client goes.
GrpcStatus HealthService::Watch(const std::string& service, net::GrpcServerCall& call) {
  Cancel::Registration wake = call.cancel().OnStop([this] {
    MutexLock lock(mutex_);
    changed_.NotifyAll();
  });
  std::optional<ServingStatus> sent;
  for (;;) {
    ServingStatus now;
    {
      MutexLock lock(mutex_);
      while (Get(service) == sent && !call.cancel().stopped()) {
        if (auto deadline = call.cancel().deadline()) {
          changed_.WaitUntil(mutex_, *deadline);
        } else {
          changed_.Wait(mutex_);
        }
      }
      if (call.cancel().stopped()) return call.cancel().status();
      now = Get(service);
    }
    if (Status written = call.Write(Encode(now)); !written.ok()) return written;
    sent = now;
  }
}

void HealthService::Register(MethodMap* methods) {
  (*methods)[kCheck] =
      UnaryHandler([this](std::string_view bytes, std::string* answer, const CallContext&) -> GrpcStatus {
        HealthRequest request;
        if (Status parsed = wire::ParseMessage(bytes, &request); !parsed.ok()) return BadRequest(parsed);
        ServingStatus status;
        GrpcStatus checked = Check(request.service(), &status);
        *answer = Encode(status);
        return checked;
      });
  (*methods)[kWatch] =
      StreamHandler([this](std::string_view bytes, net::GrpcServerCall& call, const CallContext&) -> GrpcStatus {
        HealthRequest request;
        if (Status parsed = wire::ParseMessage(bytes, &request); !parsed.ok()) return BadRequest(parsed);
        return Watch(request.service(), call);
      });
  (*methods)[kList] = UnaryHandler([this](std::string_view, std::string* answer, const CallContext&) -> GrpcStatus {
    grpc::health::v1::HealthListResponse response;
    MutexLock lock(mutex_);
    if (services_.size() > kListMax) return {GrpcCode::kResourceExhausted, "too many services to list"};
    for (const auto& [service, status] : services_)
      (*response.mutable_statuses())[service].set_status(static_cast<HealthResponse::ServingStatus>(status));
    *answer = response.SerializeAsString();
    return {};
  });
}

}  // namespace gauntlet::rpc
