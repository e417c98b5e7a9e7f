#include "discovery/dns_provider.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/executor.h"

namespace gauntlet::discovery {
namespace {

using net::DnsAddress;
using net::DnsFamily;
using net::DnsService;
using Strings = std::vector<std::string>;

class FakeResolver : public net::DnsResolver {
 public:
  Result<std::vector<DnsAddress>> Addresses(const std::string& host, DnsFamily family, const Cancel&) const override {
    if (!failure.ok()) return failure;
    std::vector<DnsAddress> all;
    bool known = false;
    for (auto [records, its] : {std::pair(&v6, DnsFamily::kIpv6), std::pair(&v4, DnsFamily::kIpv4)}) {
      auto found = records->find(host);
      known = known || found != records->end();
      if (found == records->end() || (family != its && family != DnsFamily::kBoth)) continue;
      for (const auto& ip : found->second) all.push_back({ip, 1});
    }
    if (!known) return Status(Code::kNotFound, "no such host");
    return all;
  }
  Result<std::vector<DnsService>> Services(const std::string& name, const Cancel&) const override {
    if (!failure.ok()) return failure;
    auto found = srv.find(name);
    if (found == srv.end()) return Status(Code::kNotFound, "no such host");
    return found->second;
  }

  std::map<std::string, Strings> v4, v6;
  std::map<std::string, std::vector<DnsService>> srv;
  Status failure;
};

class DnsProviderTest : public testing::Test {
 protected:
  DnsProviderTest() {
    dns_.v4 = {{"a.test", {"10.0.0.1", "10.0.0.2"}}, {"both.test", {"10.0.0.3"}}};
    dns_.v6 = {{"both.test", {"fd00::3"}}};
    dns_.srv = {{"_grpc._tcp.test", {{"a.test", 10901, 0, 0}, {"both.test", 10902, 0, 0}}}};
  }
  Strings Resolve(const Strings& addresses) {
    Status status = provider_.Resolve(addresses, Cancel());
    EXPECT_TRUE(status.ok()) << status.message();
    return provider_.Addresses();
  }

  FakeResolver dns_;
  telemetry::Registry registry_;
  DnsMetrics metrics_{registry_, "thanos_query_endpoints_"};
  ThreadPool pool_{"dns", 4};
  DnsProvider provider_{dns_, DnsStyle::kMiekgdns, metrics_, telemetry::Logger::Discard(), pool_};
};

TEST_F(DnsProviderTest, PlainAddressesStandForThemselves) {
  EXPECT_EQ(Resolve({"h:1", "unix", "10.0.0.1:1"}), (Strings{"h:1", "unix", "10.0.0.1:1"}));
  EXPECT_EQ(metrics_.lookups.value(), 0);
}

TEST_F(DnsProviderTest, EachKindOfLookup) {
  EXPECT_EQ(Resolve({"dns+a.test:9"}), (Strings{"10.0.0.1:9", "10.0.0.2:9"}));
  EXPECT_EQ(Resolve({"dns+both.test:9"}), (Strings{"[fd00::3]:9"}));
  EXPECT_EQ(Resolve({"dnsdualstack+both.test:9"}), (Strings{"[fd00::3]:9", "10.0.0.3:9"}));
  EXPECT_EQ(Resolve({"dnsdualstack+a.test:9"}), (Strings{"10.0.0.1:9", "10.0.0.2:9"}));
  EXPECT_EQ(Resolve({"dnssrv+_grpc._tcp.test"}), (Strings{"10.0.0.1:10901", "10.0.0.2:10901", "[fd00::3]:10902"}));
  EXPECT_EQ(Resolve({"dnssrv+_grpc._tcp.test:5"}), (Strings{"10.0.0.1:5", "10.0.0.2:5", "[fd00::3]:5"}));
  EXPECT_EQ(Resolve({"dnssrvnoa+_grpc._tcp.test"}), (Strings{"a.test:10901", "both.test:10902"}));
  EXPECT_EQ(Resolve({"dns+http://a.test:9"}), (Strings{"http://10.0.0.1:9", "http://10.0.0.2:9"}));
}

TEST_F(DnsProviderTest, GolangStyleTakesBothFamilies) {
  DnsProvider golang(dns_, DnsStyle::kGolang, metrics_, telemetry::Logger::Discard(), pool_);
  ASSERT_TRUE(golang.Resolve({"dns+both.test:9"}, Cancel()).ok());
  EXPECT_EQ(golang.Addresses(), (Strings{"[fd00::3]:9", "10.0.0.3:9"}));
}

TEST_F(DnsProviderTest, MissingPortAndUnknownKindAreErrors) {
  Status status = provider_.Resolve({"dns+a.test", "ok:1"}, Cancel());
  EXPECT_EQ(status.code(), Code::kInvalid);
  EXPECT_NE(status.message().find("missing port in address given for dns lookup: a.test"), std::string::npos);
  EXPECT_EQ(provider_.Addresses(), Strings{"ok:1"});
  EXPECT_NE(provider_.Resolve({"foo+a:1"}, Cancel()).message().find("invalid lookup scheme \"foo\""),
            std::string::npos);
  EXPECT_EQ(metrics_.failures.value(), 2);
}

TEST_F(DnsProviderTest, FailuresKeepThePreviousRecords) {
  Resolve({"dns+a.test:9", "dnssrv+_grpc._tcp.test"});
  Strings before = provider_.Addresses();
  dns_.failure = Status(Code::kDeadline, "silent");
  Status status = provider_.Resolve({"dns+a.test:9", "dnssrv+_grpc._tcp.test", "dns+new.test:1"}, Cancel());
  EXPECT_EQ(status.code(), Code::kDeadline);
  EXPECT_EQ(provider_.Addresses(), before);
  EXPECT_EQ(metrics_.failures.value(), 3);
  EXPECT_EQ(provider_.AddressesFor("dns+a.test:9"), (Strings{"10.0.0.1:9", "10.0.0.2:9"}));
  EXPECT_EQ(provider_.AddressesFor("dns+new.test:1"), Strings{});
}

TEST_F(DnsProviderTest, NamesThatHaveGoneTakeTheirRecordsAlong) {
  Resolve({"dns+a.test:9"});
  dns_.v4.clear();
  EXPECT_EQ(Resolve({"dns+a.test:9"}), Strings{});
  EXPECT_EQ(metrics_.failures.value(), 0);
}

TEST_F(DnsProviderTest, AddressesNoLongerConfiguredGo) {
  Resolve({"dns+a.test:9", "h:1"});
  dns_.failure = Status(Code::kDeadline, "silent");
  EXPECT_EQ(Resolve({"h:1"}), Strings{"h:1"});
}

TEST_F(DnsProviderTest, MetricsHaveThanosNames) {
  Resolve({"dns+a.test:9", "h:1"});
  Resolve({"dns+a.test:9"});
  std::string text = registry_.Expose(false);
  EXPECT_NE(text.find("\nthanos_query_endpoints_dns_lookups_total 2\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\nthanos_query_endpoints_dns_failures_total 0\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\nthanos_query_endpoints_dns_provider_results{addr=\"dns+a.test:9\"} 2\n"), std::string::npos)
      << text;
  EXPECT_EQ(text.find("{addr=\"h:1\"}"), std::string::npos) << text;
}

TEST_F(DnsProviderTest, ChangesAreTold) {
  std::vector<Strings> seen;
  auto subscription = provider_.targets().OnChange([&](const Strings& addresses) { seen.push_back(addresses); });
  Resolve({"dns+a.test:9", "10.0.0.1:9"});
  Resolve({"dns+a.test:9"});
  dns_.v4["a.test"].pop_back();
  Resolve({"dns+a.test:9"});
  EXPECT_EQ(seen, (std::vector<Strings>{{}, {"10.0.0.1:9", "10.0.0.2:9"}, {"10.0.0.1:9"}}));
}

}  // namespace
}  // namespace gauntlet::discovery
