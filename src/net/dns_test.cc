#include "net/dns.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "net/socket.h"

extern char** environ;

namespace gauntlet::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

// A UDP port that takes questions and never answers.
class DeafServer {
 public:
  DeafServer() : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
  }
  ~DeafServer() { close(fd_); }
  std::string address() const { return "127.0.0.1:" + std::to_string(LocalPort(fd_)); }

 private:
  const int fd_;
};

// A real dnsmasq on loopback, ended with the test.
class Dnsmasq {
 public:
  bool Start(const std::vector<std::string>& records) {
    {
      DeafServer free_port;
      address_ = free_port.address();
    }
    std::vector<std::string> args = {"dnsmasq",
                                     "--no-daemon",
                                     "--conf-file=/dev/null",
                                     "--no-resolv",
                                     "--no-hosts",
                                     "--pid-file=",
                                     "--bind-interfaces",
                                     "--listen-address=127.0.0.1",
                                     "--local=/test/",
                                     "--port=" + address_.substr(address_.find(':') + 1)};
    args.insert(args.end(), records.begin(), records.end());
    std::vector<char*> argv;
    for (auto& arg : args) argv.push_back(arg.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", 1, 0);
    int error = posix_spawn(&pid_, "/usr/sbin/dnsmasq", &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) return pid_ = -1, false;
    auto resolver = DnsResolver::Make({.servers = {address_}, .timeout = milliseconds(50), .tries = 1});
    for (auto end = steady_clock::now() + seconds(10); steady_clock::now() < end;) {
      if (resolver->Addresses("v4.test", DnsFamily::kIpv4, Cancel()).ok()) return true;
      std::this_thread::sleep_for(milliseconds(5));
    }
    return false;
  }
  ~Dnsmasq() { Stop(); }
  void Stop() {
    if (pid_ <= 0) return;
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  const std::string& address() const { return address_; }

 private:
  pid_t pid_ = -1;
  std::string address_;
};

std::vector<std::string> Ips(const Result<std::vector<DnsAddress>>& result) {
  EXPECT_TRUE(result.ok()) << result.status().message();
  std::vector<std::string> ips;
  if (result.ok()) {
    for (const auto& address : *result) ips.push_back(address.ip);
  }
  std::sort(ips.begin(), ips.end());
  return ips;
}

using Strings = std::vector<std::string>;

TEST(Dns, LiteralsPassThroughWithoutAServer) {
  auto resolver = DnsResolver::Make({.servers = {"127.0.0.1:1"}});
  EXPECT_EQ(Ips(resolver->Addresses("10.1.2.3", DnsFamily::kIpv6, Cancel())), Strings{"10.1.2.3"});
  EXPECT_EQ(Ips(resolver->Addresses("fd00::1", DnsFamily::kIpv4, Cancel())), Strings{"fd00::1"});
}

TEST(Dns, HostsFileIsRead) {
  auto resolver = DnsResolver::Make({.servers = {"127.0.0.1:1"}, .timeout = milliseconds(50), .tries = 1});
  EXPECT_EQ(Ips(resolver->Addresses("localhost", DnsFamily::kIpv4, Cancel())), Strings{"127.0.0.1"});
}

TEST(Dns, SilentServerEndsWithTheDeadline) {
  DeafServer deaf;
  auto resolver = DnsResolver::Make({.servers = {deaf.address()}});
  CancelSource source(Cancel(), milliseconds(30));
  EXPECT_EQ(resolver->Addresses("a.test", DnsFamily::kBoth, source.cancel()).status().code(), Code::kDeadline);
  EXPECT_EQ(resolver->Services("a.test", source.cancel()).status().code(), Code::kDeadline);
  auto hasty = DnsResolver::Make({.servers = {deaf.address()}, .timeout = milliseconds(10), .tries = 2});
  EXPECT_EQ(hasty->Addresses("a.test", DnsFamily::kIpv4, Cancel()).status().code(), Code::kDeadline);
  EXPECT_EQ(hasty->Services("a.test", Cancel()).status().code(), Code::kDeadline);
}

TEST(Dns, CancelEndsTheLookup) {
  DeafServer deaf;
  auto resolver = DnsResolver::Make({.servers = {deaf.address()}, .timeout = seconds(60)});
  CancelSource source;
  std::thread stopper([&] { source.Stop(); });
  EXPECT_EQ(resolver->Services("a.test", source.cancel()).status().code(), Code::kCancelled);
  stopper.join();
}

TEST(Dns, ClosedPortIsUnavailable) {
  std::string closed = DeafServer().address();
  auto resolver = DnsResolver::Make({.servers = {closed}, .timeout = seconds(1)});
  EXPECT_EQ(resolver->Addresses("a.test", DnsFamily::kIpv4, Cancel()).status().code(), Code::kUnavailable);
}

TEST(Dns, BadNamesAndServersAreErrors) {
  auto resolver = DnsResolver::Make({.servers = {"127.0.0.1:1"}, .timeout = milliseconds(10), .tries = 1});
  EXPECT_EQ(resolver->Addresses("", DnsFamily::kIpv4, Cancel()).status().code(), Code::kInvalid);
  EXPECT_FALSE(resolver->Addresses("a..b", DnsFamily::kIpv4, Cancel()).ok());
  EXPECT_FALSE(resolver->Services(std::string(300, 'x'), Cancel()).ok());
  EXPECT_FALSE(DnsResolver::Make({.servers = {"nonsense"}})->Addresses("a", DnsFamily::kIpv4, Cancel()).ok());
}

TEST(Dns, AsksARealServer) {
  if (access("/usr/sbin/dnsmasq", X_OK) != 0) GTEST_SKIP() << "no /usr/sbin/dnsmasq (Debian: dnsmasq-base)";
  Dnsmasq server;
  Strings records = {"--host-record=v4.test,10.0.0.1,77", "--host-record=both.test,10.0.0.2,fd00::2",
                     "--host-record=both.test,10.0.0.3", "--cname=alias.test,both.test"};
  for (int i = 0; i < 100; ++i) {  // too many for one datagram
    std::string n = std::to_string(i);
    records.push_back("--srv-host=_grpc._tcp.many.test,store-with-a-rather-long-name-" + n + ".test," + n + ",1,2");
  }
  records.push_back("--srv-host=_grpc._tcp.one.test,both.test,10901,3,4");
  ASSERT_TRUE(server.Start(records));
  auto resolver = DnsResolver::Make({.servers = {server.address()}});

  auto v4 = resolver->Addresses("v4.test", DnsFamily::kIpv4, Cancel());
  EXPECT_EQ(Ips(v4), Strings{"10.0.0.1"});
  EXPECT_EQ(v4->at(0).ttl_seconds, 77);
  EXPECT_EQ(Ips(resolver->Addresses("v4.test", DnsFamily::kIpv6, Cancel())), Strings{});
  EXPECT_EQ(Ips(resolver->Addresses("both.test", DnsFamily::kBoth, Cancel())),
            (Strings{"10.0.0.2", "10.0.0.3", "fd00::2"}));
  EXPECT_EQ(Ips(resolver->Addresses("both.test", DnsFamily::kIpv6, Cancel())), Strings{"fd00::2"});
  EXPECT_EQ(Ips(resolver->Addresses("alias.test", DnsFamily::kIpv4, Cancel())), (Strings{"10.0.0.2", "10.0.0.3"}));

  auto one = resolver->Services("_grpc._tcp.one.test", Cancel());
  ASSERT_TRUE(one.ok()) << one.status().message();
  ASSERT_EQ(one->size(), 1u);
  EXPECT_EQ(one->at(0).target, "both.test");
  EXPECT_EQ(one->at(0).port, 10901);
  EXPECT_EQ(one->at(0).priority, 3);
  EXPECT_EQ(one->at(0).weight, 4);
  auto many = resolver->Services("_grpc._tcp.many.test", Cancel());
  ASSERT_TRUE(many.ok()) << many.status().message();
  EXPECT_EQ(many->size(), 100u);
  EXPECT_EQ(resolver->Services("v4.test", Cancel())->size(), 0u);

  EXPECT_EQ(resolver->Addresses("absent.test", DnsFamily::kIpv4, Cancel()).status().code(), Code::kNotFound);
  EXPECT_EQ(resolver->Services("_grpc._tcp.absent.test", Cancel()).status().code(), Code::kNotFound);
  EXPECT_EQ(resolver->Addresses("refused.example", DnsFamily::kIpv4, Cancel()).status().code(), Code::kUnavailable);
  server.Stop();
  EXPECT_FALSE(resolver->Addresses("v4.test", DnsFamily::kIpv4, Cancel()).ok());
}

}  // namespace
}  // namespace gauntlet::net
