// DnsResolver: names to addresses and services, asked of DNS servers directly (and of /etc/hosts for addresses).
//
// Threads: thread-safe; calls block the caller's thread until the answer or the cancel.

#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/status.h"

namespace gauntlet::net {

struct DnsOptions {
  std::vector<std::string> servers;          // "10.0.0.10:53", "[::1]:53"; empty = those of /etc/resolv.conf
  std::chrono::milliseconds timeout{2'000};  // for one try at one server; doubles with each round of tries
  int tries = 3;                             // at each server
};

enum class DnsFamily : uint8_t { kIpv4, kIpv6, kBoth };

struct DnsAddress {
  std::string ip;
  int ttl_seconds = 0;  // 0 for literals and /etc/hosts
};

struct DnsService {
  std::string target;  // without the dot at its end
  int port = 0, priority = 0, weight = 0;
};

class DnsResolver {
 public:
  static std::unique_ptr<DnsResolver> Make(DnsOptions options = {});
  virtual ~DnsResolver() = default;

  // In the order of the server's answer. An IP address is returned as it is, whatever the family. Empty when the name
  // exists without such records; kNotFound when it does not exist; kDeadline, kUnavailable when servers do not answer
  // or refuse.
  virtual Result<std::vector<DnsAddress>> Addresses(const std::string& host, DnsFamily family,
                                                    const Cancel& cancel) const = 0;
  // SRV records of the full name ("_grpc._tcp.store.example").
  virtual Result<std::vector<DnsService>> Services(const std::string& name, const Cancel& cancel) const = 0;
};

}  // namespace gauntlet::net
