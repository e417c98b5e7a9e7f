#include "query/endpoint_sources.h"

#include <algorithm>
#include <map>
#include <set>
#include <thread>
#include <utility>

#include "io/file_system.h"

namespace gauntlet::query {
namespace {

using std::chrono::steady_clock;

// A group's key: two groups of one name, or an endpoint of the same address, are not the same thing.
std::string GroupName(const std::string& address) { return "thanos:///" + address; }

}  // namespace

EndpointSources::EndpointSources(EndpointSourceOptions options, Executor& executor, telemetry::Registry& registry,
                                 telemetry::Logger logger)
    : options_(std::move(options)),
      executor_(executor),
      logger_(std::move(logger)),
      resolver_(net::DnsResolver::Make({options_.dns_servers})),
      metrics_(registry, "thanos_query_endpoints_"),
      // The name that alerts and dashboards still read.
      old_metrics_(registry, "thanos_query_store_apis_"),
      dns_(std::make_unique<discovery::DnsProvider>(*resolver_, options_.dns_style, metrics_, logger_, executor_)) {
  if (options_.sd_files.empty()) return;
  auto files = discovery::FileDiscovery::Make({options_.sd_files, options_.sd_interval}, io::RealFileSystem(), registry,
                                              logger_);
  if (files.ok()) {
    files_ = *std::move(files);
  } else {
    file_error_ = files.status();
    file_error_.Wrap("--store.sd-files");
  }
}

EndpointSources::~EndpointSources() = default;

Status EndpointSources::Check() {
  GN_TRY(file_error_);
  for (const std::string& address : options_.strict) {
    if (!discovery::IsDynamicAddress(address)) continue;
    return Status(
        Code::kInvalid,
        address +
            " is a dynamically specified endpoint i.e. it uses SD and that is not permitted under strict mode. "
            "Use --endpoint for this");
  }
  if (!options_.load_config) return Status();
  GN_ASSIGN(std::string text, options_.load_config());
  Result<std::vector<EndpointConfig>> config = ParseEndpointConfig(text);
  return config.status().Wrap("--endpoint.sd-config");
}

void EndpointSources::LoadConfig() {
  if (!options_.load_config) return;
  Result<std::string> text = options_.load_config();
  Result<std::vector<EndpointConfig>> config =
      text.ok() ? ParseEndpointConfig(*text) : Result<std::vector<EndpointConfig>>(text.status());
  if (!config.ok()) {
    GN_LOG(logger_, kError, "endpoint configuration cannot be used; the previous one stays", {"err", config.status()});
    return;
  }
  MutexLock lock(mutex_);
  from_file_ = *std::move(config);
}

std::vector<EndpointConfig> EndpointSources::Configured() const {
  std::vector<EndpointConfig> all;
  auto add = [&](const std::vector<std::string>& addresses, bool strict, bool group) {
    for (const std::string& address : addresses)
      all.push_back({address, strict, group, options_.tls, options_.compression});
  };
  add(options_.strict, true, false);
  add(options_.endpoints, false, false);
  add(options_.groups_strict, true, true);
  add(options_.groups, false, true);
  if (files_) add(files_->targets().Get(), false, false);
  MutexLock lock(mutex_);
  all.insert(all.end(), from_file_.begin(), from_file_.end());
  return all;
}

void EndpointSources::ResolveAll(const Cancel& cancel) {
  std::vector<std::string> addresses;
  for (const EndpointConfig& endpoint : Configured()) {
    if (discovery::IsDynamicAddress(endpoint.address)) addresses.push_back(endpoint.address);
  }
  if (addresses.empty()) return;
  double lookups = metrics_.lookups.value(), failures = metrics_.failures.value();
  Status st = dns_->Resolve(addresses, cancel);
  old_metrics_.lookups.Add(metrics_.lookups.value() - lookups);
  old_metrics_.failures.Add(metrics_.failures.value() - failures);
  if (!st.ok() && !cancel.stopped()) GN_LOG(logger_, kError, "resolving addresses of endpoints", {"err", st});
}

std::vector<EndpointSpec> EndpointSources::Current() const {
  std::vector<EndpointSpec> specs;
  std::set<std::string> strict;
  auto add = [&](std::string name, std::vector<std::string> addresses, const EndpointConfig& endpoint) {
    specs.push_back({std::move(name), std::move(addresses), endpoint.strict, endpoint.tls, endpoint.compression});
  };
  for (const EndpointConfig& endpoint : Configured()) {
    bool dynamic = discovery::IsDynamicAddress(endpoint.address);
    std::vector<std::string> addresses = dynamic ? dns_->AddressesFor(endpoint.address) : std::vector{endpoint.address};
    if (endpoint.group) {
      if (!addresses.empty() || endpoint.strict) add(GroupName(endpoint.address), std::move(addresses), endpoint);
      continue;
    }
    for (std::string& address : addresses) {
      std::string name = address;
      add(std::move(name), {std::move(address)}, endpoint);
    }
  }
  return specs;
}

void EndpointSources::Refresh(const Cancel& cancel) {
  LoadConfig();
  if (files_) {
    if (Status st = files_->Refresh(); !st.ok()) GN_LOG(logger_, kError, "reading discovery files", {"err", st});
  }
  ResolveAll(cancel);
  Changed();
}

void EndpointSources::Changed() {
  MutexLock lock(mutex_);
  ++version_;
  changed_.NotifyAll();
}

bool EndpointSources::WaitForChange(const Cancel& cancel, std::chrono::milliseconds timeout) {
  auto until = cancel.DeadlineOr(timeout);
  auto registration = cancel.OnStop([this] {
    MutexLock lock(mutex_);
    changed_.NotifyAll();
  });
  MutexLock lock(mutex_);
  while (version_ == seen_ && !cancel.stopped() && changed_.WaitUntil(mutex_, until)) {
  }
  seen_ = version_;
  return !cancel.stopped();
}

void EndpointSources::Run(const Cancel& cancel) {
  CancelSource source(cancel);
  std::thread follower;
  discovery::TargetSet::Subscription subscription;
  if (files_) {
    follower = std::thread([&] { files_->Run(source.cancel()); });
    subscription = files_->targets().OnChange([this](const auto&) { Changed(); });
  }
  auto next_config = steady_clock::now() + options_.config_interval;
  Mutex mutex;
  CondVar stopped;
  auto registration = cancel.OnStop([&] {
    MutexLock lock(mutex);
    stopped.NotifyAll();
  });
  while (!cancel.stopped()) {
    {
      MutexLock lock(mutex);
      auto until = steady_clock::now() + options_.dns_interval;
      while (!cancel.stopped() && stopped.WaitUntil(mutex, until)) {
      }
    }
    if (cancel.stopped()) break;
    if (steady_clock::now() >= next_config) {
      LoadConfig();
      next_config = steady_clock::now() + options_.config_interval;
    }
    std::vector<std::string> before = dns_->Addresses();
    ResolveAll(cancel);
    if (dns_->Addresses() != before || options_.load_config) Changed();
  }
  source.Stop();
  if (follower.joinable()) follower.join();
}

}  // namespace gauntlet::query
