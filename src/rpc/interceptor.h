// What surrounds every call of a server: metrics, a trace span, and the request log's hooks.
//
// Upstream: thanos pkg/server/grpc, pkg/tracing/tracing_middleware, pkg/logging
// Threads:  the interceptor is thread-safe.

#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "net/grpc/grpc.h"
#include "rpc/call_metrics.h"
#include "rpc/context.h"
#include "telemetry/trace.h"

namespace gauntlet::rpc {

// A call as a request log sees it.
struct CallRecord {
  const MethodInfo& method;
  const CallContext& context;
  const net::GrpcStatus& status;  // OK at the start
  double seconds = 0;             // so far
};
using CallHook = std::function<void(const CallRecord&)>;

struct ServerInterceptorOptions {
  telemetry::Registry* registry = nullptr;  // null: no metrics
  telemetry::Tracer* tracer = nullptr;      // null: no spans
  CallHook on_start, on_end;                // may be null
  Clock* clock = &SystemClock();
};

// `methods` are those of the server, whose series exist from the start. What the options point to must outlive the
// interceptor. The handler sees the span's context in the call's metadata, so that ContextOf() passes it on.
net::GrpcServer::Interceptor MakeServerInterceptor(ServerInterceptorOptions options, const MethodMap& methods);

}  // namespace gauntlet::rpc
