#include <gtest/gtest.h>

#include "net/http/client.h"
#include "net/http/testing/client_fixture.h"
#include "net/testing/certs.h"

namespace gauntlet::net {
namespace {

class HttpTlsTest : public HttpClientTest {
 protected:
  HttpTlsTest() { authority_.WriteCaFile(dir_ / "ca"); }
  void StartTls(TlsServerOptions tls) {
    StartEcho({.tls = [tls]() -> Result<std::optional<TlsServerOptions>> { return std::optional(tls); }});
  }
  std::string https(const std::string& host = "127.0.0.1") const {
    return "https://" + host + ":" + std::to_string(server_->port()) + "/";
  }

  TestDir dir_;
  TestAuthority authority_{"authority"};
};

TEST_F(HttpTlsTest, ServesAndVerifies) {
  auto files = authority_.Issue(dir_, "server", "server", {"IP:127.0.0.1", "DNS:localhost"});
  StartTls({.cert_file = files.cert, .key_file = files.key});
  auto client = Make({.tls = {.ca_file = dir_ / "ca"}});
  for (int i = 0; i < 3; ++i) {
    auto answer = Get(*client, https());
    ASSERT_TRUE(answer.ok()) << answer.status().message();
    EXPECT_TRUE(answer->body.starts_with("GET /\n"));
  }
  EXPECT_TRUE(Get(*client, https("localhost")).ok());
  std::string body(5 << 20, 'x');
  auto echo = client->Do({.method = "POST", .url = https(), .body = body}, Cancel());
  ASSERT_TRUE(echo.ok()) << echo.status().message();
  EXPECT_TRUE(echo->body.ends_with(body));
}

TEST_F(HttpTlsTest, WrongNameOrUnknownAuthorityIsRefusedUnlessSkipped) {
  auto files = authority_.Issue(dir_, "server", "server", {"DNS:prometheus.example"});
  StartTls({.cert_file = files.cert, .key_file = files.key});
  EXPECT_EQ(Get(*Make({.tls = {.ca_file = dir_ / "ca"}}), https()).status().code(), Code::kUnavailable);
  EXPECT_EQ(Get(*Make(), https()).status().code(), Code::kUnavailable);
  EXPECT_TRUE(Get(*Make({.tls = {.skip_verify = true}}), https()).ok());
  auto absent = Get(*Make({.tls = {.ca_file = dir_ / "absent"}}), https());
  EXPECT_FALSE(absent.ok());
}

TEST_F(HttpTlsTest, ServerNameReplacesTheHostInTheCheck) {
  auto files = authority_.Issue(dir_, "server", "server", {"DNS:prometheus.example"});
  StartTls({.cert_file = files.cert, .key_file = files.key});
  auto right = Make({.tls = {.ca_file = dir_ / "ca", .server_name = "prometheus.example"}});
  auto answer = Get(*right, https());
  EXPECT_TRUE(answer.ok()) << answer.status().message();
  auto wrong = Make({.tls = {.ca_file = dir_ / "ca", .server_name = "other.example"}});
  EXPECT_EQ(Get(*wrong, https()).status().code(), Code::kUnavailable);
}

TEST_F(HttpTlsTest, ClientCertificateBecomesThePeer) {
  auto server = authority_.Issue(dir_, "server", "server", {"IP:127.0.0.1"});
  auto mine = authority_.Issue(dir_, "client", "tenant-a", {});
  StartTls({.cert_file = server.cert, .key_file = server.key, .client_ca_file = dir_ / "ca"});
  auto with = Make({.tls = {.ca_file = dir_ / "ca", .cert_file = mine.cert, .key_file = mine.key}});
  auto answer = Get(*with, https());
  ASSERT_TRUE(answer.ok()) << answer.status().message();
  EXPECT_NE(answer->body.find("peer=tenant-a\n"), std::string::npos);
  EXPECT_EQ(Get(*Make({.tls = {.ca_file = dir_ / "ca"}}), https()).status().code(), Code::kUnavailable);
}

TEST_F(HttpTlsTest, NewConnectionsUseTheReplacedCertificate) {
  auto files = authority_.Issue(dir_, "server", "first", {"DNS:first.example"});
  StartTls({.cert_file = files.cert, .key_file = files.key});
  auto ask = [&](const char* name) {
    return Get(*Make({.tls = {.ca_file = dir_ / "ca", .server_name = name}}), https()).ok();
  };
  EXPECT_TRUE(ask("first.example"));
  authority_.Issue(dir_, "server", "second", {"DNS:second.example"});
  EXPECT_TRUE(ask("second.example"));
  EXPECT_FALSE(ask("first.example"));
}

TEST_F(HttpTlsTest, PlainHttpOnATlsPortIsTold) {
  auto files = authority_.Issue(dir_, "server", "server", {"IP:127.0.0.1"});
  StartTls({.cert_file = files.cert, .key_file = files.key});
  auto answer = Get(*Make(), url());
  ASSERT_TRUE(answer.ok()) << answer.status().message();
  EXPECT_EQ(answer->status, 400);
  EXPECT_EQ(answer->body, "Client sent an HTTP request to an HTTPS server.\n");
  EXPECT_TRUE(Get(*Make({.tls = {.ca_file = dir_ / "ca"}}), https()).ok());
}

TEST_F(HttpTlsTest, StreamsBothWaysUnderBackpressure) {
  auto files = authority_.Issue(dir_, "server", "server", {"IP:127.0.0.1"});
  TlsServerOptions tls{.cert_file = files.cert, .key_file = files.key};
  Start(
      [&](HttpRequest& request, const Cancel&, HttpReply& reply) {
        for (int i = 0; i < 300; ++i) (void)reply.Write(std::string(100'000, static_cast<char>('a' + i % 26)));
        (void)reply.Write(request.body);
      },
      {.tls = [tls]() -> Result<std::optional<TlsServerOptions>> { return std::optional(tls); }});
  auto client = Make({.tls = {.ca_file = dir_ / "ca"}, .compression = false});
  auto answer = client->Do({.method = "POST", .url = https(), .body = std::string(3 << 20, '!')}, Cancel());
  ASSERT_TRUE(answer.ok()) << answer.status().message();
  EXPECT_EQ(answer->body.size(), 30'000'000u + (3u << 20));
  EXPECT_EQ(answer->body[29'999'999], static_cast<char>('a' + 299 % 26));
}

TEST_F(HttpTlsTest, MinimumVersionIsKept) {
  auto files = authority_.Issue(dir_, "server", "server", {"IP:127.0.0.1"});
  StartTls({.cert_file = files.cert, .key_file = files.key, .max_version = TlsVersion::k12});
  EXPECT_TRUE(Get(*Make({.tls = {.ca_file = dir_ / "ca"}}), https()).ok());
  auto newer = Make({.tls = {.ca_file = dir_ / "ca", .min_version = TlsVersion::k13}});
  EXPECT_EQ(Get(*newer, https()).status().code(), Code::kUnavailable);
}

}  // namespace
}  // namespace gauntlet::net
