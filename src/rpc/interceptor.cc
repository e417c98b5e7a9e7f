#include "rpc/interceptor.h"

#include <chrono>
#include <utility>

namespace gauntlet::rpc {
namespace {

using net::GrpcStatus;

// The call as its handler sees it.
class ObservedServerCall : public net::GrpcServerCall {
 public:
  ObservedServerCall(net::GrpcServerCall& call, const CallMetrics::Method* metrics, net::GrpcMetadata metadata)
      : call_(call), metrics_(metrics), metadata_(std::move(metadata)) {}
  const std::string& method() const override { return call_.method(); }
  const net::GrpcMetadata& metadata() const override { return metadata_; }
  const std::string& peer_address() const override { return call_.peer_address(); }
  const Cancel& cancel() const override { return call_.cancel(); }
  Result<bool> Read(std::string* message) override {
    Result<bool> read = call_.Read(message);
    if (metrics_ != nullptr && read.ok() && *read) metrics_->received.Add();
    return read;
  }
  Status Write(std::string_view message) override {
    Status written = call_.Write(message);
    if (metrics_ != nullptr && written.ok()) metrics_->sent.Add();
    return written;
  }

 private:
  net::GrpcServerCall& call_;
  const CallMetrics::Method* const metrics_;
  const net::GrpcMetadata metadata_;
};

class ServerInterceptor {
 public:
  ServerInterceptor(ServerInterceptorOptions options, const MethodMap& methods) : options_(std::move(options)) {
    for (const auto& [name, handler] : methods) infos_.emplace(name, DescribeMethod(name));
    if (options_.registry == nullptr) return;
    metrics_.emplace(*options_.registry, CallMetrics::Side::kServer);
    metrics_->Prepare(methods);
  }

  GrpcStatus Handle(net::GrpcServerCall& call, const net::GrpcHandler& next) {
    auto info = infos_.find(call.method());
    if (info == infos_.end()) return next(call);  // a name that a peer made up gets no series
    auto start = options_.clock->Now();
    auto seconds = [&] { return std::chrono::duration<double>(options_.clock->Now() - start).count(); };
    const CallMetrics::Method* metrics = metrics_ ? &metrics_->Of(call.method()) : nullptr;
    if (metrics != nullptr) metrics->started.Add();

    CallContext context = ContextOf(call);
    net::GrpcMetadata metadata = call.metadata();
    telemetry::Span span = StartSpan(call, info->second, &context, &metadata);
    if (options_.on_start) options_.on_start({info->second, context, GrpcStatus(), 0});
    ObservedServerCall observed(call, metrics, std::move(metadata));
    GrpcStatus status = next(observed);

    if (!status.ok()) span.SetError(status.message);
    if (metrics != nullptr) metrics_->Handled(*metrics, status.code, seconds());
    if (options_.on_end) options_.on_end({info->second, context, status, seconds()});
    return status;
  }

 private:
  telemetry::Span StartSpan(const net::GrpcServerCall& call, const MethodInfo& info, CallContext* context,
                            net::GrpcMetadata* metadata) {
    if (options_.tracer == nullptr) return {};
    telemetry::Span span = options_.tracer->Start(call.method(), context->trace, telemetry::SpanRecord::Kind::kServer);
    span.SetAttribute("rpc.system", "grpc");
    span.SetAttribute("rpc.service", info.service);
    span.SetAttribute("rpc.method", info.method);
    if (!context->request_id.empty()) span.SetAttribute("request.id", context->request_id);
    if (!span.context().valid()) return span;
    context->trace = span.context();
    metadata->erase(std::string(kTraceparentMetadata));
    metadata->emplace(kTraceparentMetadata, context->trace.ToTraceparent());
    return span;
  }

  const ServerInterceptorOptions options_;
  std::map<std::string, MethodInfo> infos_;
  std::optional<CallMetrics> metrics_;
};

}  // namespace

net::GrpcServer::Interceptor MakeServerInterceptor(ServerInterceptorOptions options, const MethodMap& methods) {
  auto interceptor = std::make_shared<ServerInterceptor>(std::move(options), methods);
  return [interceptor](net::GrpcServerCall& call, const net::GrpcHandler& next) {
    return interceptor->Handle(call, next);
  };
}

}  // namespace gauntlet::rpc
