// CallContext: what travels with a call through processes: its right to go on, tenant, request id and trace.
//
// A handler gets one and hands it, or a narrowed copy, to the calls that it makes itself.
// Threads: a value; copies share the Cancel's state.

#pragma once

#include <string>
#include <string_view>

#include "base/cancel.h"
#include "net/grpc/grpc.h"
#include "telemetry/trace.h"

namespace gauntlet::rpc {

// Names in gRPC metadata; Thanos knows the same.
inline constexpr std::string_view kTenantMetadata = "thanos-tenant";
inline constexpr std::string_view kRequestIdMetadata = "request-id";
inline constexpr std::string_view kTraceparentMetadata = "traceparent";

struct CallContext {
  Cancel cancel;
  std::string tenant;      // "" = none said
  std::string request_id;  // "" = none
  telemetry::SpanContext trace;
  std::string peer_address;  // of the caller; not sent on
};

// The context of a call that came in.
CallContext ContextOf(const net::GrpcServerCall& call);
// What a call going out says of it.
net::GrpcMetadata MetadataOf(const CallContext& context);

}  // namespace gauntlet::rpc
