#include "server/http_host.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>

#include "base/memory.h"
#include "net/testing/certs.h"
#include "server/grpc_options.h"
#include "server/http_client_options.h"
#include "server/middleware.h"

namespace gauntlet::server {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// The whole answer to one request on a connection of its own.
std::string Ask(int port, const std::string& request) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(port));
  inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
  std::string answer;
  if (connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof(to)) == 0 &&
      send(fd, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size())) {
    char buffer[4096];
    for (ssize_t n; (n = recv(fd, buffer, sizeof(buffer), 0)) > 0;) answer.append(buffer, static_cast<size_t>(n));
  }
  close(fd);
  return answer;
}

std::string Get(int port, const std::string& path, const std::string& headers = "") {
  return Ask(port, "GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + headers + "\r\n");
}

class HttpHostTest : public testing::Test {
 protected:
  HttpHostTest() {
    router_.Add("GET", "/api/v1/query", "query",
                [](const net::HttpRequest& request, const Cancel&, net::HttpReply& reply) {
                  (void)reply.Write("id " + std::string(RequestId(request)));
                });
    AddCommonRoutes(router_, prober_, registry_);
    options_.address = "127.0.0.1:0";
    options_.grace = std::chrono::milliseconds(1000);
  }
  void Start() {
    auto host = HttpHost::Start(options_, router_, telemetry::Logger::Discard(), pool_);
    ASSERT_TRUE(host.ok()) << host.status().message();
    host_ = *std::move(host);
  }

  net::TestDir dir_;
  ThreadPool pool_{"test", 8};
  telemetry::Registry registry_;
  Prober prober_{"query", registry_, telemetry::Logger::Discard()};
  Middleware middleware_{{}, registry_, telemetry::Logger::Discard()};
  net::HttpRouter router_{"", middleware_.Around()};
  HttpOptions options_;
  std::unique_ptr<HttpHost> host_;
};

TEST_F(HttpHostTest, ServesProbesMetricsAndRoutes) {
  Start();
  EXPECT_THAT(Get(host_->port(), "/-/ready"), StartsWith("HTTP/1.1 503 "));
  prober_.SetReady();
  EXPECT_THAT(Get(host_->port(), "/-/ready"),
              testing::AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), testing::EndsWith("\r\n\r\nOK")));
  EXPECT_THAT(Get(host_->port(), "/api/v1/query", "X-Request-ID: abc\r\n"), HasSubstr("\r\n\r\nid abc"));
  std::string text = Get(host_->port(), "/metrics");
  EXPECT_THAT(text, HasSubstr("text/plain; version=0.0.4; charset=utf-8"));
  EXPECT_THAT(text, HasSubstr("http_requests_total{code=\"200\",handler=\"query\",method=\"get\"} 1\n"));
  text = Get(host_->port(), "/metrics", "Accept: application/openmetrics-text\r\n");
  EXPECT_THAT(text, HasSubstr("application/openmetrics-text; version=1.0.0; charset=utf-8"));
  EXPECT_THAT(text, HasSubstr("# EOF\n"));
  host_->Shutdown();
  EXPECT_EQ(Get(host_->port(), "/-/ready"), "");
}

TEST_F(HttpHostTest, AsksForThePasswordEverywhere) {
  options_.web_config_file = dir_ / "web.yml";
  std::ofstream(options_.web_config_file)
      << "basic_auth_users: {alice: $2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW}\n"
      << "http_server_config: {headers: {X-Frame-Options: deny}}\n";
  Start();
  for (const char* path : {"/-/healthy", "/metrics", "/api/v1/query", "/debug/pprof/", "/nowhere"}) {
    EXPECT_THAT(Get(host_->port(), path),
                testing::AllOf(StartsWith("HTTP/1.1 401 "), HasSubstr("X-Frame-Options: deny")));
  }
  EXPECT_THAT(Get(host_->port(), "/metrics", "Authorization: Basic YWxpY2U6VSpV\r\n"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpHostTest, RefusesToStartOnBadConfiguration) {
  options_.web_config_file = dir_ / "web.yml";
  std::ofstream(options_.web_config_file) << "nonsense: 1\n";
  EXPECT_THAT(std::string(HttpHost::Start(options_, router_, telemetry::Logger::Discard(), pool_).status().message()),
              HasSubstr("field nonsense not found"));
  options_ = HttpOptions();
  options_.address = "no.such.address.invalid:1";
  EXPECT_THAT(std::string(HttpHost::Start(options_, router_, telemetry::Logger::Discard(), pool_).status().message()),
              StartsWith("listen for HTTP on no.such.address.invalid:1"));
}

TEST_F(HttpHostTest, ServesProfilesThatPprofReads) {
  Start();
  std::string base = "http://127.0.0.1:" + std::to_string(host_->port()) + "/debug/";
  EXPECT_THAT(Get(host_->port(), "/debug/pprof/"), HasSubstr("<a href=\"heap\">"));
  EXPECT_THAT(Get(host_->port(), "/debug/pprof/goroutine?debug=2"), HasSubstr("CollectThreadStacks"));
  EXPECT_THAT(Get(host_->port(), "/debug/pprof/cmdline"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(Get(host_->port(), "/debug/pprof/trace"), StartsWith("HTTP/1.1 501 "));
  if (std::system("go version >/dev/null 2>&1") != 0) GTEST_SKIP() << "go is not installed";
  auto top = [&](const std::string& what) {
    std::string out = dir_ / "out.txt";
    std::string command =
        "PPROF_TMPDIR=" + (dir_ / ".") + " go tool pprof -top -seconds=1 " + base + what + " >" + out + " 2>&1";
    EXPECT_EQ(std::system(command.c_str()), 0);
    std::ifstream file(out);
    return std::string((std::istreambuf_iterator<char>(file)), {});
  };
  EXPECT_THAT(top("pprof/profile"), HasSubstr("Type: cpu"));
  EXPECT_THAT(top("fgprof"), HasSubstr("Type: time"));
  EXPECT_THAT(top("pprof/goroutine"), HasSubstr("Type: goroutine"));
  if (HeapProfileActive()) EXPECT_THAT(top("pprof/heap"), HasSubstr("Type: inuse_space"));
}

TEST(PrefersOpenMetrics, WeighsTheAcceptHeader) {
  EXPECT_FALSE(PrefersOpenMetrics(""));
  EXPECT_FALSE(PrefersOpenMetrics("*/*"));
  EXPECT_FALSE(PrefersOpenMetrics("text/plain"));
  EXPECT_TRUE(PrefersOpenMetrics("application/openmetrics-text"));
  EXPECT_TRUE(
      PrefersOpenMetrics("application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"));
  EXPECT_FALSE(PrefersOpenMetrics("application/openmetrics-text;version=2.0.0"));
  EXPECT_FALSE(PrefersOpenMetrics("text/plain;q=1, application/openmetrics-text; version=1.0.0 ; q=0.5"));
  EXPECT_FALSE(PrefersOpenMetrics("application/openmetrics-text;q=0"));
}

TEST(GrpcOptions, RefusesWhatCannotServe) {
  net::TestDir dir;
  GrpcOptions options;
  EXPECT_FALSE((*options.ToServerOptions()).tls);
  options.tls_client_ca = "ca";
  EXPECT_THAT(std::string(options.ToServerOptions().status().message()), StartsWith("when a client CA is used"));
  options.tls_cert = dir / "none.pem";
  EXPECT_THAT(std::string(options.ToServerOptions().status().message()), HasSubstr("are needed for TLS"));
  net::TestAuthority authority("test");
  auto cert = authority.Issue(dir, "server", "localhost", {"DNS:localhost"});
  authority.WriteCaFile(dir / "ca.pem");
  options.tls_cert = cert.cert;
  options.tls_key = cert.key;
  options.tls_client_ca = dir / "ca.pem";
  options.tls_curves = {"X25519"};
  auto server = options.ToServerOptions();
  ASSERT_TRUE(server.ok()) << server.status().message();
  EXPECT_EQ((*server->tls())->min_version, net::TlsVersion::k13);
  options.tls_curves = {"P-13"};
  EXPECT_THAT(std::string(options.ToServerOptions().status().message()), HasSubstr("P-13"));
}

TEST(ToHttpClientOptions, CarriesEveryField) {
  auto config = config::ParseHttpClientConfig(
      "basic_auth: {username: u, password: p}\nproxy_url: http://p:1\n"
      "tls_config: {ca_file: ca, server_name: s, insecure_skip_verify: true}\n"
      "transport_config: {idle_conn_timeout: 5s, response_header_timeout: 1us, disable_compression: true}\n");
  ASSERT_TRUE(config.ok()) << config.status().message();
  net::HttpClientOptions options = ToHttpClientOptions(*config);
  EXPECT_EQ(options.basic_username + options.basic_password + options.proxy_url, "uphttp://p:1");
  EXPECT_EQ(options.tls.ca_file + options.tls.server_name, "cas");
  EXPECT_TRUE(options.tls.skip_verify);
  EXPECT_FALSE(options.compression);
  EXPECT_EQ(options.idle_timeout, std::chrono::seconds(5));
  EXPECT_EQ(options.header_timeout, std::chrono::milliseconds(1));
}

}  // namespace
}  // namespace gauntlet::server
