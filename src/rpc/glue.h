// What the typed services have in common: a handler around a function on bytes, and calls that read an answer stream.
// Only for the .cc files of this module.
//
// Threads: functions; handlers may be called from many threads at once, calls block theirs.

#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "net/grpc/grpc.h"
#include "rpc/context.h"
#include "rpc/method.h"

namespace gauntlet::rpc {

// One request, one answer. `serve` fills the answer's bytes.
net::GrpcHandler UnaryHandler(
    std::function<net::GrpcStatus(std::string_view request, std::string* answer, const CallContext& context)> serve);

// One request, any number of answers, which `serve` writes to the call.
net::GrpcHandler StreamHandler(
    std::function<net::GrpcStatus(std::string_view request, net::GrpcServerCall& call, const CallContext& context)>
        serve);

// How a request that does not decode ends its call: Internal for broken bytes, as in grpc-go; else its own code.
net::GrpcStatus BadRequest(const Status& error);

// One request, one answer.
net::GrpcStatus CallUnary(net::GrpcChannel& channel, std::string_view method, std::string_view request,
                          const CallContext& context, std::string* answer, bool wait_for_ready = false);

// Calls `use` with each answer; its error stops the call and is returned.
net::GrpcStatus CallStream(net::GrpcChannel& channel, std::string_view method, std::string_view request,
                           const CallContext& context, const std::function<Status(std::string_view answer)>& use);

}  // namespace gauntlet::rpc
