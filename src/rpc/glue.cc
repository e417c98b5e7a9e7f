#include "rpc/glue.h"

namespace gauntlet::rpc {
namespace {

using net::GrpcCode;
using net::GrpcStatus;

// The only request of a call.
GrpcStatus ReadRequest(net::GrpcServerCall& call, std::string* request) {
  Result<bool> read = call.Read(request);
  if (!read.ok()) return read.status();
  if (!*read) return {GrpcCode::kInternal, "the call ended without a request"};
  return {};
}

// Sends the only request of a call. What goes wrong shows in Read and Finish.
std::unique_ptr<net::GrpcClientCall> StartCall(net::GrpcChannel& channel, std::string_view method,
                                               std::string_view request, const CallContext& context,
                                               bool wait_for_ready) {
  auto call = channel.Start(method, MetadataOf(context), context.cancel, wait_for_ready);
  if (call->Write(request).ok()) (void)call->WritesDone();
  return call;
}

}  // namespace

net::GrpcHandler UnaryHandler(
    std::function<GrpcStatus(std::string_view request, std::string* answer, const CallContext& context)> serve) {
  return [serve = std::move(serve)](net::GrpcServerCall& call) -> GrpcStatus {
    std::string request, answer;
    if (GrpcStatus read = ReadRequest(call, &request); !read.ok()) return read;
    if (GrpcStatus served = serve(request, &answer, ContextOf(call)); !served.ok()) return served;
    return call.Write(answer);
  };
}

net::GrpcHandler StreamHandler(
    std::function<GrpcStatus(std::string_view request, net::GrpcServerCall& call, const CallContext& context)> serve) {
  return [serve = std::move(serve)](net::GrpcServerCall& call) -> GrpcStatus {
    std::string request;
    if (GrpcStatus read = ReadRequest(call, &request); !read.ok()) return read;
    return serve(request, call, ContextOf(call));
  };
}

GrpcStatus BadRequest(const Status& error) {
  if (error.code() == Code::kCorrupt) return {GrpcCode::kInternal, std::string(error.message())};
  return error;
}

GrpcStatus CallUnary(net::GrpcChannel& channel, std::string_view method, std::string_view request,
                     const CallContext& context, std::string* answer, bool wait_for_ready) {
  auto call = StartCall(channel, method, request, context, wait_for_ready);
  Result<bool> read = call->Read(answer);
  if (!read.ok()) return read.status();
  bool answered = *read;
  if (answered) {
    std::string second;
    read = call->Read(&second);
    if (!read.ok()) return read.status();
    if (*read) return {GrpcCode::kInternal, "more than one answer to a unary call"};
  }
  GrpcStatus status = call->Finish();
  if (status.ok() && !answered) return {GrpcCode::kInternal, "no answer to a unary call"};
  return status;
}

GrpcStatus CallStream(net::GrpcChannel& channel, std::string_view method, std::string_view request,
                      const CallContext& context, const std::function<Status(std::string_view answer)>& use) {
  auto call = StartCall(channel, method, request, context, /*wait_for_ready=*/false);
  std::string answer;
  for (;;) {
    Result<bool> read = call->Read(&answer);
    if (!read.ok()) return read.status();
    if (!*read) return call->Finish();
    if (Status used = use(answer); !used.ok()) return used;
  }
}

}  // namespace gauntlet::rpc
