// GrpcOptions: the flags of a component's gRPC server, and what they say to `net`.
//
// Threads: a value.

#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/status.h"
#include "flags/flag.h"
#include "net/grpc/grpc.h"

namespace gauntlet::server {

struct GrpcOptions {
  std::string address = "0.0.0.0:10901";
  std::string tls_cert, tls_key, tls_client_ca;
  std::string tls_min_version = "1.3";
  std::vector<std::string> tls_ciphers, tls_curves;
  std::chrono::milliseconds max_connection_age{3'600'000};
  std::chrono::milliseconds grace{120'000};

  void Register(flags::FlagSet& flags);
  // An error when the certificates, ciphers or curves cannot be used: before anything listens.
  Result<net::GrpcServerOptions> ToServerOptions() const;
};

}  // namespace gauntlet::server
