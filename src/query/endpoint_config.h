// The file of --endpoint.sd-config: endpoints with their own TLS and compression.
//
// Upstream: thanos cmd/thanos/endpointset.go
// Threads:  pure functions.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "net/grpc/grpc.h"
#include "net/tls.h"

namespace gauntlet::query {

struct EndpointConfig {
  std::string address;
  bool strict = false, group = false;
  std::optional<net::TlsClientOptions> tls;
  net::GrpcCompression compression = net::GrpcCompression::kIdentity;
};

// kInvalid with the line for what is not understood, and for a strict endpoint whose addresses come from DNS.
Result<std::vector<EndpointConfig>> ParseEndpointConfig(std::string_view yaml);

}  // namespace gauntlet::query
