// MethodMap: the handlers of a server; and what the descriptors say about a method.
//
// Threads: values and pure functions.

#pragma once

#include <map>
#include <string>
#include <string_view>

#include "net/grpc/grpc.h"

namespace gauntlet::rpc {

// "/thanos.Store/Series" -> handler; what GrpcServer::Start takes.
using MethodMap = std::map<std::string, net::GrpcHandler>;

struct MethodInfo {
  std::string service;  // "thanos.Store"
  std::string method;   // "Series"
  std::string type;     // "unary", "client_stream", "server_stream", "bidi_stream"
};
// A method whose descriptor is not in the binary counts as unary.
MethodInfo DescribeMethod(std::string_view full_name);

}  // namespace gauntlet::rpc
