// DnsProvider: addresses as they are configured ("host:port", "dns+host:port", "dnssrv+name", ...) to those they stand
// for now.
//
//   dns+host:port           addresses of the host; the port is required
//   dnsdualstack+host:port  of both families
//   dnssrv+name             SRV records, and the addresses of their targets
//   dnssrvnoa+name          SRV records, targets as they are
//   anything else           itself
//
// A scheme ("dns+http://host:port") is kept; a port given to dnssrv replaces those of the records.
// Upstream: thanos pkg/discovery/dns
// Threads:  thread-safe; Resolve by one thread at a time.

#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/mutex.h"
#include "base/status.h"
#include "discovery/target_set.h"
#include "net/dns.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"

namespace gauntlet {
class Executor;
}

namespace gauntlet::discovery {

// "dns+h:1" -> kind "dns", name "h:1"; without a '+' the kind is "".
struct LookupAddress {
  std::string_view kind, name;
};
LookupAddress SplitLookup(std::string_view address);
bool IsDynamicAddress(std::string_view address);

// --store.sd-dns-resolver: whose choice of family for "dns+" to follow. miekgdns: IPv6 addresses, and IPv4 ones where
// there are none; golang: both.
enum class DnsStyle : uint8_t { kMiekgdns, kGolang };
Result<DnsStyle> ParseDnsStyle(std::string_view text);

// <prefix>dns_lookups_total, <prefix>dns_failures_total, <prefix>dns_provider_results{addr}; several providers may
// share one ("thanos_query_endpoints_").
class DnsMetrics {
 public:
  DnsMetrics(telemetry::Registry& registry, const std::string& prefix);

  telemetry::Counter& lookups;
  telemetry::Counter& failures;
  telemetry::Family<telemetry::Gauge> results;
};

class DnsProvider {
 public:
  // All are borrowed. Lookups run at the same time on `executor`.
  DnsProvider(const net::DnsResolver& resolver, DnsStyle style, DnsMetrics& metrics, telemetry::Logger& logger,
              Executor& executor);
  ~DnsProvider();

  // Looks all up and replaces what was known. An address whose lookup fails keeps its previous records; the first such
  // error is returned.
  Status Resolve(const std::vector<std::string>& addresses, const Cancel& cancel);

  // In the order of the configured addresses, duplicates included.
  std::vector<std::string> Addresses() const;
  std::vector<std::string> AddressesFor(const std::string& configured) const;
  // The same without duplicates, with changes told.
  TargetSet& targets() { return targets_; }

 private:
  struct Entry {
    std::string configured;
    std::vector<std::string> resolved;
  };

  Result<std::vector<std::string>> Lookup(std::string_view kind, std::string_view name, const Cancel& cancel) const;
  Result<std::vector<std::string>> HostAddresses(const std::string& host, const Cancel& cancel) const;
  Result<std::vector<std::string>> FamilyAddresses(const std::string& host, net::DnsFamily family,
                                                   const Cancel& cancel) const;
  Result<std::vector<std::string>> BothFamilies(const std::string& host, const Cancel& cancel) const;
  Result<std::vector<std::string>> ServiceAddresses(const std::string& name, const std::string& port, bool to_addresses,
                                                    const Cancel& cancel) const;

  const net::DnsResolver& resolver_;
  const DnsStyle style_;
  DnsMetrics& metrics_;
  telemetry::Logger& logger_;
  Executor& executor_;
  TargetSet targets_;
  mutable Mutex mutex_;
  std::vector<Entry> entries_ GN_GUARDED_BY(mutex_);
};

}  // namespace gauntlet::discovery
