// RedisCache against real redis servers: alone, with a password, with TLS, behind a sentinel, in a cluster.

#include "cache/redis_cache.h"

#include <gtest/gtest.h>

#include <csignal>
#include <fstream>

#include "net/testing/certs.h"
#include "objstore/testing/child_server.h"

namespace gauntlet::cache {
namespace {

using objstore::ChildServer;
using std::chrono::seconds;
using Strings = std::vector<std::string>;

class RedisTest : public ::testing::Test {
 protected:
  RedisTest() { std::signal(SIGPIPE, SIG_IGN); }
  void SetUp() override {
    program_ = ChildServer::Find("redis-server");
    if (program_.empty()) GTEST_SKIP() << "redis-server is not installed (./dev setup)";
  }

  struct Running {
    int port;
    std::unique_ptr<ChildServer> process;
    std::string address() const { return "127.0.0.1:" + std::to_string(port); }
  };
  Running Start(const Strings& more = {}, const std::string& port_flag = "--port") {
    int port = ChildServer::FreePort();
    Strings arguments = {program_, port_flag, std::to_string(port), "--bind", "127.0.0.1", "--save", "",
                         "--dir",  dir_ / ""};
    if (port_flag != "--port") arguments.insert(arguments.end(), {"--port", "0"});
    arguments.insert(arguments.end(), more.begin(), more.end());
    Running running{port, std::make_unique<ChildServer>(arguments, port)};
    EXPECT_TRUE(running.process->ok());
    return running;
  }

  static RedisConfig ConfigOf(Strings addresses) {
    RedisConfig config;
    config.addresses = std::move(addresses);
    config.read_timeout = config.write_timeout = seconds(10);
    return config;
  }
  std::unique_ptr<RedisCache> Open(RedisConfig config) {
    return std::make_unique<RedisCache>(std::move(config), "test", environment_);
  }
  static CachedBytes GetOne(RedisCache& cache, const std::string& key) { return cache.Get(Strings{key}, Cancel())[0]; }
  // What a command is answered, by a connection of its own.
  static RedisReply Command(const std::string& address, std::initializer_list<std::string_view> words) {
    ServerOptions options;
    options.address = address;
    options.timeout = options.dial_timeout = seconds(10);
    Server server(std::move(options));
    std::string question;
    AppendRedisCommand(words, &question);
    RedisReply reply;
    Status asked = server.Ask(
        [&](Connection& connection) -> Status {
          GN_TRY(connection.Write(question));
          GN_ASSIGN(reply, ReadRedisReply(connection.replies(), 1 << 20));
          return Status();
        },
        Cancel());
    EXPECT_TRUE(asked.ok()) << asked.message();
    return reply;
  }
  // A cluster agrees with itself, and a cache finds what has moved, after a while.
  template <typename Condition>
  static bool Eventually(const Condition& condition) {
    auto until = std::chrono::steady_clock::now() + seconds(60);
    while (std::chrono::steady_clock::now() < until) {
      if (condition()) return true;
    }
    return false;
  }

  std::string program_;
  net::TestDir dir_;
  ThreadPool pool_{"cache", 64};
  telemetry::Registry registry_;
  Environment environment_{pool_, registry_, telemetry::Logger::Discard()};
};

TEST_F(RedisTest, GivesBackWhatWasPutUnderItsPrefix) {
  Running server = Start();
  RedisConfig config = ConfigOf({server.address()});
  config.prefix = "thanos:";
  config.get_multi_batch_size = 2;
  auto cache = Open(config);
  std::string binary("\0\r\n$5\r\n\xff", 9);
  cache->Put("a", "1", seconds(60));
  cache->Put("binary", binary, seconds(60));
  cache->Put("large", std::string(5 << 20, 'x'), seconds(60));
  cache->Drain();
  auto values = cache->Get(Strings{"a", "none", "binary", "large", "a"}, Cancel());
  ASSERT_TRUE(values[0] && values[2] && values[3] && values[4]);
  EXPECT_EQ(*values[0], "1");
  EXPECT_EQ(values[1], nullptr);
  EXPECT_EQ(*values[2], binary);
  EXPECT_EQ(values[3]->size(), 5u << 20);
  EXPECT_EQ(Command(server.address(), {"GET", "thanos:a"}).text, "1");
  int64_t left = Command(server.address(), {"TTL", "thanos:a"}).integer;
  EXPECT_GT(left, 0);
  EXPECT_LE(left, 60);
}

TEST_F(RedisTest, AuthenticatesAndSelectsItsDatabase) {
  Running server = Start({"--requirepass", "pw", "--user", "reader", "on", ">secret", "~*", "+@all"});
  RedisConfig config = ConfigOf({server.address()});
  config.password = config::Secret("pw");
  config.db = 3;
  auto cache = Open(config);
  cache->Put("a", "1", seconds(60));
  cache->Drain();
  ASSERT_NE(GetOne(*cache, "a"), nullptr);
  RedisConfig named = config;
  named.username = "reader";
  named.password = config::Secret("secret");
  ASSERT_NE(GetOne(*Open(named), "a"), nullptr);
  RedisConfig other_db = named;
  other_db.db = 4;
  EXPECT_EQ(GetOne(*Open(other_db), "a"), nullptr);
  RedisConfig wrong = config;
  wrong.password = config::Secret("wrong");
  EXPECT_EQ(GetOne(*Open(wrong), "a"), nullptr);
}

TEST_F(RedisTest, SpeaksTls) {
  net::TestAuthority authority("ours");
  authority.WriteCaFile(dir_ / "ca.crt");
  net::TestCertFiles files = authority.Issue(dir_, "server", "server", {"IP:127.0.0.1"});
  net::TestCertFiles client = authority.Issue(dir_, "client", "client", {"DNS:client"});
  Running server =
      Start({"--tls-cert-file", files.cert, "--tls-key-file", files.key, "--tls-ca-cert-file", dir_ / "ca.crt"},
            "--tls-port");
  RedisConfig config = ConfigOf({server.address()});
  net::TlsClientOptions& tls = config.tls.emplace();
  tls.ca_file = dir_ / "ca.crt";
  tls.cert_file = client.cert;
  tls.key_file = client.key;
  auto cache = Open(config);
  cache->Put("a", "secret", seconds(60));
  cache->Put("large", std::string(1 << 20, 'x'), seconds(60));
  cache->Drain();
  ASSERT_NE(GetOne(*cache, "a"), nullptr);
  EXPECT_EQ(*GetOne(*cache, "a"), "secret");
  ASSERT_NE(GetOne(*cache, "large"), nullptr);
  tls.cert_file.clear();
  tls.key_file.clear();  // the server asks for a certificate
  EXPECT_EQ(GetOne(*Open(config), "a"), nullptr);
}

TEST_F(RedisTest, FollowsTheMasterThatASentinelNames) {
  Running one = Start(), two = Start();
  std::string file = dir_ / "sentinel.conf";
  std::ofstream(file) << "sentinel monitor cache 127.0.0.1 " << one.port << " 1\n";
  int port = ChildServer::FreePort();
  ChildServer sentinel({program_, file, "--sentinel", "--port", std::to_string(port), "--bind", "127.0.0.1"}, port);
  ASSERT_TRUE(sentinel.ok());
  std::string sentinel_address = "127.0.0.1:" + std::to_string(port);
  RedisConfig config = ConfigOf({"127.0.0.1:1", sentinel_address});
  config.master_name = "cache";
  auto cache = Open(config);
  cache->Put("a", "1", seconds(60));
  cache->Drain();
  EXPECT_EQ(Command(one.address(), {"GET", "a"}).text, "1");
  ASSERT_NE(GetOne(*cache, "a"), nullptr);
  Command(sentinel_address, {"SENTINEL", "remove", "cache"});
  Command(sentinel_address, {"SENTINEL", "monitor", "cache", "127.0.0.1", std::to_string(two.port), "1"});
  Command(two.address(), {"SET", "a", "2"});
  one.process.reset();
  EXPECT_TRUE(Eventually([&] {
    auto value = GetOne(*cache, "a");
    return value != nullptr && *value == "2";
  }));
}

TEST_F(RedisTest, FindsKeysInAClusterAndFollowsThemWhenTheyMove) {
  int bus_one = ChildServer::FreePort(), bus_two = ChildServer::FreePort();
  Running one = Start(
      {"--cluster-enabled", "yes", "--cluster-config-file", "one.conf", "--cluster-port", std::to_string(bus_one)});
  Running two = Start(
      {"--cluster-enabled", "yes", "--cluster-config-file", "two.conf", "--cluster-port", std::to_string(bus_two)});
  Command(one.address(), {"CLUSTER", "ADDSLOTSRANGE", "0", "8191"});
  Command(two.address(), {"CLUSTER", "ADDSLOTSRANGE", "8192", "16383"});
  Command(one.address(), {"CLUSTER", "MEET", "127.0.0.1", std::to_string(two.port), std::to_string(bus_two)});
  for (const std::string& address : {one.address(), two.address()}) {
    ASSERT_TRUE(Eventually([&] {
      return Command(address, {"CLUSTER", "INFO"}).text.find("cluster_state:ok") != std::string::npos &&
             Command(address, {"CLUSTER", "SLOTS"}).items.size() == 2;
    }));
  }
  auto cache = Open(ConfigOf({one.address()}));
  Strings keys;
  for (int i = 0; i < 200; ++i) {
    keys.push_back("key" + std::to_string(i));
    cache->Put(keys.back(), std::to_string(i), seconds(600));
  }
  cache->Drain();
  auto all = [&] {
    auto values = cache->Get(keys, Cancel());
    for (size_t i = 0; i < keys.size(); ++i) {
      if (values[i] == nullptr || *values[i] != std::to_string(i)) return false;
    }
    return true;
  };
  EXPECT_TRUE(all());
  EXPECT_GT(Command(one.address(), {"DBSIZE"}).integer, 50);
  EXPECT_GT(Command(two.address(), {"DBSIZE"}).integer, 50);
  // The slot of one key goes over to the other node, with nothing in it.
  std::string slot = std::to_string(RedisSlot("foo"));  // 12182, of the second
  std::string owner = Command(one.address(), {"CLUSTER", "MYID"}).text;
  for (const std::string& address : {one.address(), two.address()})
    Command(address, {"CLUSTER", "SETSLOT", slot, "NODE", owner});
  EXPECT_TRUE(Eventually([&] {
    cache->Put("foo", "moved", seconds(600));
    cache->Drain();
    auto value = GetOne(*cache, "foo");
    return value != nullptr && *value == "moved";
  }));
}

TEST_F(RedisTest, NobodyThereIsAnEmptyCache) {
  auto cache = Open(ConfigOf({"127.0.0.1:1"}));
  for (int i = 0; i < 100; ++i) {
    cache->Put("a", "1", seconds(60));
    EXPECT_EQ(GetOne(*cache, "a"), nullptr);
  }
}

}  // namespace
}  // namespace gauntlet::cache
