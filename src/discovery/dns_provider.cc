#include "discovery/dns_provider.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/executor.h"
#include "net/url.h"

namespace gauntlet::discovery {

LookupAddress SplitLookup(std::string_view address) {
  size_t plus = address.find('+');
  if (plus == std::string_view::npos) return {{}, address};
  return {address.substr(0, plus), address.substr(plus + 1)};
}

bool IsDynamicAddress(std::string_view address) { return !SplitLookup(address).kind.empty(); }

Result<DnsStyle> ParseDnsStyle(std::string_view text) {
  if (text == "miekgdns") return DnsStyle::kMiekgdns;
  if (text == "golang") return DnsStyle::kGolang;
  return Status(Code::kInvalid, "unknown DNS resolver \"" + std::string(text) + "\" (miekgdns or golang)");
}

DnsMetrics::DnsMetrics(telemetry::Registry& registry, const std::string& prefix)
    : lookups(registry.MakeCounter(prefix + "dns_lookups_total", "The number of DNS lookups resolutions attempts")),
      failures(registry.MakeCounter(prefix + "dns_failures_total", "The number of DNS lookup failures")),
      results(registry.MakeGauges(prefix + "dns_provider_results",
                                  "The number of resolved endpoints for each configured address", {"addr"})) {}

DnsProvider::DnsProvider(const net::DnsResolver& resolver, DnsStyle style, DnsMetrics& metrics,
                         telemetry::Logger& logger, Executor& executor)
    : resolver_(resolver), style_(style), metrics_(metrics), logger_(logger), executor_(executor) {}

DnsProvider::~DnsProvider() = default;

Status DnsProvider::Resolve(const std::vector<std::string>& addresses, const Cancel& cancel) {
  std::vector<Entry> fresh;
  std::set<std::string> seen;
  for (const auto& address : addresses) {
    if (seen.insert(address).second) fresh.push_back({address, {}});
  }
  std::vector<Status> failures(fresh.size());
  ParallelFor(executor_, fresh.size(), [&](size_t i) {
    Entry& entry = fresh[i];
    LookupAddress lookup = SplitLookup(entry.configured);
    if (lookup.kind.empty()) {
      entry.resolved = {entry.configured};
      return;
    }
    metrics_.lookups.Add();
    auto resolved = Lookup(lookup.kind, lookup.name, cancel);
    if (resolved.ok()) {
      entry.resolved = *std::move(resolved);
      return;
    }
    metrics_.failures.Add();
    failures[i] = resolved.status().Wrap(entry.configured);
    entry.resolved = AddressesFor(entry.configured);
  });

  TargetSet::Addresses all;
  for (const Entry& entry : fresh) {
    all.insert(all.end(), entry.resolved.begin(), entry.resolved.end());
    metrics_.results.With({entry.configured}).Set(static_cast<double>(entry.resolved.size()));
  }
  std::vector<Entry> old;
  {
    MutexLock lock(mutex_);
    old = std::exchange(entries_, std::move(fresh));
  }
  for (const Entry& entry : old) {
    std::string_view name = entry.configured;
    if (!seen.contains(entry.configured)) metrics_.results.Remove({&name, 1});
  }
  targets_.Set(std::move(all));
  for (const Status& failure : failures) GN_TRY(failure);
  return Status();
}

std::vector<std::string> DnsProvider::Addresses() const {
  MutexLock lock(mutex_);
  std::vector<std::string> all;
  for (const Entry& entry : entries_) all.insert(all.end(), entry.resolved.begin(), entry.resolved.end());
  return all;
}

std::vector<std::string> DnsProvider::AddressesFor(const std::string& configured) const {
  MutexLock lock(mutex_);
  for (const Entry& entry : entries_) {
    if (entry.configured == configured) return entry.resolved;
  }
  return {};
}

Result<std::vector<std::string>> DnsProvider::Lookup(std::string_view kind, std::string_view name,
                                                     const Cancel& cancel) const {
  std::string scheme;
  if (size_t slashes = name.find("//"); slashes != std::string_view::npos) {
    scheme = name.substr(0, slashes + 2);
    name.remove_prefix(slashes + 2);
    name = name.substr(0, name.find("//"));
  }
  std::string host, port;
  if (!net::SplitHostPort(name, &host, &port).ok()) host = name, port.clear();

  Result<std::vector<std::string>> found = std::vector<std::string>();
  if (kind == "dns" || kind == "dnsdualstack") {
    if (port.empty()) {
      return Status(Code::kInvalid,
                    "missing port in address given for " + std::string(kind) + " lookup: " + std::string(name));
    }
    found = kind == "dns" ? HostAddresses(host, cancel) : BothFamilies(host, cancel);
    if (found.ok()) {
      for (auto& address : *found) address = net::JoinHostPort(address, port);
    }
  } else if (kind == "dnssrv" || kind == "dnssrvnoa") {
    found = ServiceAddresses(host, port, kind == "dnssrv", cancel);
  } else {
    return Status(Code::kInvalid, "invalid lookup scheme \"" + std::string(kind) + "\"");
  }
  if (!found.ok()) return found;
  if (found->empty()) {
    GN_LOG(logger_, kWarn, "IP address lookup yielded no results. No host found or no addresses found", {"host", host});
  }
  for (auto& address : *found) address.insert(0, scheme);
  return found;
}

// A name that does not exist is an answer, and an empty one: the records that were there have gone.
Result<std::vector<std::string>> DnsProvider::FamilyAddresses(const std::string& host, net::DnsFamily family,
                                                              const Cancel& cancel) const {
  auto found = resolver_.Addresses(host, family, cancel);
  std::vector<std::string> ips;
  if (found.ok()) {
    for (auto& address : *found) ips.push_back(std::move(address.ip));
  } else if (found.status().code() != Code::kNotFound) {
    return found.status();
  }
  return ips;
}

Result<std::vector<std::string>> DnsProvider::HostAddresses(const std::string& host, const Cancel& cancel) const {
  if (style_ == DnsStyle::kGolang) return FamilyAddresses(host, net::DnsFamily::kBoth, cancel);
  auto found = FamilyAddresses(host, net::DnsFamily::kIpv6, cancel);
  if (found.ok() && !found->empty()) return found;
  return FamilyAddresses(host, net::DnsFamily::kIpv4, cancel);
}

Result<std::vector<std::string>> DnsProvider::BothFamilies(const std::string& host, const Cancel& cancel) const {
  auto six = FamilyAddresses(host, net::DnsFamily::kIpv6, cancel);
  auto four = FamilyAddresses(host, net::DnsFamily::kIpv4, cancel);
  std::vector<std::string> all;
  if (six.ok()) all = *six;
  if (four.ok()) all.insert(all.end(), four->begin(), four->end());
  if (all.empty()) {
    GN_TRY(six.status());
    GN_TRY(four.status());
  }
  if (six.ok() && four.ok() && *six == *four) return six;  // an address, not a name
  return all;
}

Result<std::vector<std::string>> DnsProvider::ServiceAddresses(const std::string& name, const std::string& port,
                                                               bool to_addresses, const Cancel& cancel) const {
  auto services = resolver_.Services(name, cancel);
  std::vector<std::string> all;
  if (!services.ok()) {
    if (services.status().code() != Code::kNotFound) return services.status();
    return all;
  }
  for (const auto& service : *services) {
    std::string its_port = port.empty() ? std::to_string(service.port) : port;
    if (!to_addresses) {
      all.push_back(net::JoinHostPort(service.target, its_port));
      continue;
    }
    GN_ASSIGN(auto ips, HostAddresses(service.target, cancel));
    for (const auto& ip : ips) all.push_back(net::JoinHostPort(ip, its_port));
  }
  return all;
}

}  // namespace gauntlet::discovery
