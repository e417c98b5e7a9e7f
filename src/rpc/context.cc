#include "rpc/context.h"

namespace gauntlet::rpc {
namespace {

std::string First(const net::GrpcMetadata& metadata, std::string_view name) {
  auto found = metadata.find(std::string(name));
  return found == metadata.end() ? std::string() : found->second;
}

}  // namespace

CallContext ContextOf(const net::GrpcServerCall& call) {
  CallContext context;
  context.cancel = call.cancel();
  context.tenant = First(call.metadata(), kTenantMetadata);
  context.request_id = First(call.metadata(), kRequestIdMetadata);
  if (auto trace = telemetry::SpanContext::FromTraceparent(First(call.metadata(), kTraceparentMetadata)))
    context.trace = *trace;
  context.peer_address = call.peer_address();
  return context;
}

net::GrpcMetadata MetadataOf(const CallContext& context) {
  net::GrpcMetadata metadata;
  auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) metadata.emplace(name, value);
  };
  add(kTenantMetadata, context.tenant);
  add(kRequestIdMetadata, context.request_id);
  if (context.trace.valid()) add(kTraceparentMetadata, context.trace.ToTraceparent());
  return metadata;
}

}  // namespace gauntlet::rpc
