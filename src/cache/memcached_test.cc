// MemcachedCache against real memcached servers.

#include "cache/memcached_cache.h"

#include <gtest/gtest.h>

#include <unistd.h>
#include <csignal>

#include <algorithm>

#include "net/socket.h"
#include "net/testing/certs.h"
#include "objstore/testing/child_server.h"

namespace gauntlet::cache {
namespace {

using objstore::ChildServer;
using std::chrono::seconds;
using Strings = std::vector<std::string>;

class MemcachedTest : public ::testing::Test {
 protected:
  MemcachedTest() { std::signal(SIGPIPE, SIG_IGN); }
  void SetUp() override {
    program_ = ChildServer::Find("memcached");
    if (program_.empty()) GTEST_SKIP() << "memcached is not installed (./dev setup)";
  }

  struct Running {
    int port;
    std::unique_ptr<ChildServer> process;
    std::string address() const { return "127.0.0.1:" + std::to_string(port); }
  };
  Running Start(const Strings& more = {}) {
    int port = ChildServer::FreePort();
    Strings arguments = {program_, "-u", "nobody", "-l", "127.0.0.1", "-p", std::to_string(port),
                         "-U",     "0",  "-m",     "64"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    Running running{port, std::make_unique<ChildServer>(arguments, port)};
    EXPECT_TRUE(running.process->ok());
    return running;
  }

  std::unique_ptr<MemcachedCache> Open(MemcachedConfig config) {
    return std::make_unique<MemcachedCache>(std::move(config), "test", environment_);
  }
  std::unique_ptr<MemcachedCache> Open(Strings addresses) {
    MemcachedConfig config;
    config.addresses = std::move(addresses);
    config.timeout = seconds(10);
    return Open(std::move(config));
  }
  double Metric(const std::string& line) {
    std::string text = registry_.Expose(false);
    size_t at = text.find(line + " ");
    return at == std::string::npos ? -1 : std::stod(text.substr(at + line.size()));
  }

  std::string program_;
  ThreadPool pool_{"cache", 64};
  telemetry::Registry registry_;
  Environment environment_{pool_, registry_, telemetry::Logger::Discard()};
};

TEST_F(MemcachedTest, GivesBackWhatWasPut) {
  Running server = Start();
  auto cache = Open({server.address()});
  std::string binary("\0\r\nEND\r\n\xff", 10);
  cache->Put("a", "1", seconds(60));
  cache->Put("binary", binary, seconds(60));
  cache->Put("empty", "", seconds(60));
  cache->Put("large", std::string(900'000, 'x'), seconds(60));
  cache->Drain();
  auto values = cache->Get(Strings{"a", "none", "binary", "a", "empty", "large"}, Cancel());
  ASSERT_EQ(values.size(), 6u);
  ASSERT_TRUE(values[0] && values[2] && values[3] && values[4] && values[5]);
  EXPECT_EQ(*values[0], "1");
  EXPECT_EQ(values[1], nullptr);
  EXPECT_EQ(*values[2], binary);
  EXPECT_EQ(*values[3], "1");
  EXPECT_EQ(*values[4], "");
  EXPECT_EQ(values[5]->size(), 900'000u);
  EXPECT_EQ(Metric("thanos_memcached_operations_total{name=\"test\",operation=\"set\"}"), 4);
  EXPECT_EQ(Metric("thanos_memcached_operations_total{name=\"test\",operation=\"getmulti\"}"), 1);
}

TEST_F(MemcachedTest, TellsHowItIsConfigured) {
  MemcachedConfig config;
  config.addresses = {"127.0.0.1:1"};
  config.timeout = std::chrono::milliseconds(1500);
  config.max_get_multi_batch_size = 7;
  auto cache = Open(std::move(config));
  EXPECT_EQ(Metric("thanos_memcached_client_info{dns_provider_update_interval=\"10s\",max_async_buffer_size=\"10000\","
                   "max_async_concurrency=\"20\",max_get_multi_batch_size=\"7\",max_get_multi_concurrency=\"100\","
                   "max_idle_connections=\"100\",max_item_size=\"1048576\",name=\"test\",timeout=\"1.5s\"}"),
            1);
}

TEST_F(MemcachedTest, SkipsWhatIsTooLargeOrHasNoKeyForIt) {
  Running server = Start();
  auto cache = Open({server.address()});
  cache->Put("large", std::string((1 << 20) + 1, 'x'), seconds(60));
  cache->Put("a key", "v", seconds(60));
  cache->Drain();
  EXPECT_EQ(cache->Get(Strings{"a key"}, Cancel())[0], nullptr);
  EXPECT_EQ(
      Metric("thanos_memcached_operation_skipped_total{name=\"test\",operation=\"set\",reason=\"max-item-size\"}"), 1);
  EXPECT_EQ(
      Metric("thanos_memcached_operation_failures_total{name=\"test\",operation=\"set\",reason=\"malformed-key\"}"), 1);
}

TEST_F(MemcachedTest, ARefusedValueHoldsNoOther) {
  Running server = Start({"-I", "512k"});  // of an item, at most
  auto cache = Open({server.address()});
  cache->Put("before", "v", seconds(60));
  cache->Put("refused", std::string(700'000, 'x'), seconds(60));
  cache->Put("after", "v", seconds(60));
  cache->Drain();
  auto values = cache->Get(Strings{"before", "refused", "after"}, Cancel());
  EXPECT_TRUE(values[0] && !values[1] && values[2]);
  EXPECT_EQ(
      Metric("thanos_memcached_operation_failures_total{name=\"test\",operation=\"set\",reason=\"server-error\"}"), 1);
}

TEST_F(MemcachedTest, SpreadsKeysOverServersTheSameForEverybody) {
  Running one = Start(), two = Start(), three = Start();
  Strings addresses = {one.address(), two.address(), three.address()};
  MemcachedConfig config;
  config.addresses = addresses;
  config.timeout = seconds(10);
  config.max_get_multi_batch_size = 10;
  auto writer = Open(config);
  Strings keys;
  for (int i = 0; i < 300; ++i) {
    keys.push_back("key" + std::to_string(i));
    writer->Put(keys.back(), std::to_string(i), seconds(60));
  }
  writer->Drain();
  std::reverse(config.addresses.begin(), config.addresses.end());
  auto reader = Open(config);
  auto values = reader->Get(keys, Cancel());
  for (int i = 0; i < 300; ++i)
    ASSERT_TRUE(values[static_cast<size_t>(i)] && *values[static_cast<size_t>(i)] == std::to_string(i)) << i;
  size_t on_one = 0;
  auto only_one = Open({one.address()});
  for (const auto& value : only_one->Get(keys, Cancel())) on_one += value != nullptr;
  EXPECT_GT(on_one, 50u);
  EXPECT_LT(on_one, 200u);
}

TEST_F(MemcachedTest, ADeadServerCostsNothingAfterAFewFailuresAndComesBack) {
  Running server = Start();
  std::string address = server.address();
  auto cache = Open({address});
  cache->Put("a", "1", seconds(60));
  cache->Drain();
  ASSERT_NE(cache->Get(Strings{"a"}, Cancel())[0], nullptr);
  server.process.reset();
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(cache->Get(Strings{"a"}, Cancel())[0], nullptr);
  double failures = Metric(
      "thanos_memcached_operation_failures_total{name=\"test\",operation=\"getmulti\",reason=\"network-error\"}");
  EXPECT_EQ(failures, 1000);
  ChildServer again({program_, "-u", "nobody", "-l", "127.0.0.1", "-p", std::to_string(server.port), "-U", "0"},
                    server.port);
  ASSERT_TRUE(again.ok());
  auto until = std::chrono::steady_clock::now() + seconds(60);
  CachedBytes value;
  while (value == nullptr && std::chrono::steady_clock::now() < until) {
    cache->Put("a", "2", seconds(60));
    cache->Drain();
    value = cache->Get(Strings{"a"}, Cancel())[0];
  }
  ASSERT_NE(value, nullptr);
  EXPECT_EQ(*value, "2");
}

TEST_F(MemcachedTest, ASilentServerHoldsNobodyUpBeyondTheTimeOut) {
  int listener = *net::ListenTcp("127.0.0.1:0");  // takes connections and says nothing
  MemcachedConfig config;
  config.addresses = {"127.0.0.1:" + std::to_string(net::LocalPort(listener))};
  config.timeout = std::chrono::milliseconds(20);
  auto cache = Open(config);
  EXPECT_EQ(cache->Get(Strings{"a"}, Cancel())[0], nullptr);
  EXPECT_EQ(
      Metric("thanos_memcached_operation_failures_total{name=\"test\",operation=\"getmulti\",reason=\"timeout\"}"), 1);
  close(listener);
}

TEST_F(MemcachedTest, SpeaksTls) {
  net::TestDir dir;
  net::TestAuthority authority("ours");
  authority.WriteCaFile(dir / "ca.crt");
  net::TestCertFiles files = authority.Issue(dir, "server", "server", {"IP:127.0.0.1"});
  int port = ChildServer::FreePort();
  ChildServer process({program_, "-u", "root", "-l", "127.0.0.1", "-p", std::to_string(port), "-U", "0", "-Z", "-o",
                       "ssl_chain_cert=" + files.cert + ",ssl_key=" + files.key},
                      port);
  if (!process.ok()) GTEST_SKIP() << "this memcached was built without TLS";
  MemcachedConfig config;
  config.addresses = {"127.0.0.1:" + std::to_string(port)};
  config.timeout = seconds(10);
  config.tls.emplace().ca_file = dir / "ca.crt";
  auto cache = Open(config);
  cache->Put("a", "secret", seconds(60));
  cache->Drain();
  auto value = cache->Get(Strings{"a"}, Cancel())[0];
  ASSERT_NE(value, nullptr);
  EXPECT_EQ(*value, "secret");
}

TEST_F(MemcachedTest, WithoutAnyServerThereIsNothing) {
  auto cache = Open({"dns+nowhere.invalid:11211"});
  cache->Put("a", "1", seconds(60));
  cache->Drain();
  EXPECT_EQ(cache->Get(Strings{"a"}, Cancel())[0], nullptr);
}

}  // namespace
}  // namespace gauntlet::cache
