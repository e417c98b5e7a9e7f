#include "server/web_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <utime.h>

#include <fstream>

#include "net/http/testing/fake_reply.h"
#include "net/testing/certs.h"
#include "server/bcrypt.h"

namespace gauntlet::server {
namespace {

using testing::HasSubstr;

TEST(Bcrypt, KnowsThePublishedVectors) {
  // From the tests of OpenBSD's and John the Ripper's bcrypt.
  EXPECT_TRUE(MatchesBcrypt("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"));
  EXPECT_TRUE(MatchesBcrypt("U*U*", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"));
  EXPECT_TRUE(MatchesBcrypt("", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy"));
  EXPECT_FALSE(MatchesBcrypt("U*V", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"));
  EXPECT_FALSE(MatchesBcrypt(std::string("U*U\0", 4), "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"));
}

TEST(Bcrypt, ChecksTheShapeOfAHash) {
  EXPECT_TRUE(CheckBcryptHash("$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi").ok());
  for (const char* bad :
       {"", "plain", "$1$salt$hash", "$2y$10$short", "$2x$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi",
        "$2y$99$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi",
        "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDe!i"}) {
    EXPECT_EQ(CheckBcryptHash(bad).code(), Code::kInvalid) << bad;
  }
}

std::string Error(std::string_view yaml) { return std::string(ParseWebConfig(yaml, "").status().message()); }

TEST(ParseWebConfig, ReadsAllSections) {
  auto config = ParseWebConfig(
      "tls_server_config:\n  cert_file: c.pem\n  key_file: /abs/k.pem\n  client_ca_file: ca.pem\n"
      "  client_auth_type: RequireAndVerifyClientCert\n  min_version: TLS13\n  max_version: TLS13\n"
      "  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]\n  curve_preferences: [X25519]\n"
      "  prefer_server_cipher_suites: true\n"
      "http_server_config:\n  http2: false\n  headers: {X-Frame-Options: deny}\n"
      "basic_auth_users:\n  alice: $2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW\n",
      "/etc/g");
  ASSERT_TRUE(config.ok()) << config.status().message();
  EXPECT_EQ(config->tls->cert_file, "/etc/g/c.pem");
  EXPECT_EQ(config->tls->key_file, "/abs/k.pem");
  EXPECT_EQ(config->tls->client_ca_file, "/etc/g/ca.pem");
  EXPECT_EQ(config->tls->min_version, net::TlsVersion::k13);
  EXPECT_EQ(config->headers.at("X-Frame-Options"), "deny");
  EXPECT_EQ(config->users.size(), 1u);
  EXPECT_FALSE(ParseWebConfig("", "")->tls.has_value());
  EXPECT_FALSE(ParseWebConfig("tls_server_config: {}\n", "")->tls.has_value());
}

TEST(ParseWebConfig, SaysWhatIsWrong) {
  EXPECT_THAT(Error("tls: {}\n"), HasSubstr("line 1: field tls not found in type web.Config"));
  EXPECT_THAT(Error("tls_server_config: {key_file: k}\n"), HasSubstr("missing cert_file"));
  EXPECT_THAT(Error("tls_server_config: {cert_file: k}\n"), HasSubstr("missing key_file"));
  EXPECT_THAT(Error("tls_server_config: {cert_file: c, key_file: k, client_auth_type: Maybe}\n"),
              HasSubstr("Invalid ClientAuth: Maybe"));
  EXPECT_THAT(Error("tls_server_config: {cert_file: c, key_file: k, client_ca_file: a}\n"),
              HasSubstr("configured without a Client Auth Policy"));
  EXPECT_THAT(Error("tls_server_config: {cert_file: c, key_file: k, min_version: TLS9}\n"),
              HasSubstr("unknown TLS version: TLS9"));
  EXPECT_THAT(Error("tls_server_config: {cert_file: c, key_file: k, min_version: TLS13, max_version: TLS12}\n"),
              HasSubstr("min_version is above max_version"));
  EXPECT_THAT(Error("tls_server_config: {cert_file: c, key_file: k, client_allowed_sans: [a]}\n"),
              HasSubstr("client_allowed_sans is not supported"));
  EXPECT_THAT(Error("http_server_config: {headers: {X-Other: y}}\n"),
              HasSubstr("HTTP header \"X-Other\" can not be configured"));
  EXPECT_THAT(Error("basic_auth_users: {bob: secret}\n"), HasSubstr("user \"bob\": password is not a bcrypt hash"));
  EXPECT_THAT(Error("rate_limit: {burst: 1}\n"), HasSubstr("rate_limit is not supported"));
}

std::string Base64(std::string_view text) {
  constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < text.size(); i += 3) {
    auto byte = [&](size_t k) { return i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0u; };
    unsigned bits = byte(0) << 16 | byte(1) << 8 | byte(2);
    for (size_t k = 0; k < 4; ++k) out += k <= text.size() - i ? kAlphabet[bits >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

class WebConfigFileTest : public testing::Test {
 protected:
  void Write(const std::string& text) {
    // Renamed over the old one, as tools do it: another inode, whatever the clock says.
    std::ofstream(dir_ / "new.yml") << text;
    ASSERT_EQ(std::rename((dir_ / "new.yml").c_str(), path_.c_str()), 0);
  }
  int Ask(WebConfigFile& file, const std::string& authorization) {
    net::HttpRequest request;
    if (!authorization.empty()) request.headers.Set("Authorization", authorization);
    reply_ = net::FakeReply();
    return file.Admit(request, reply_) ? 200 : reply_.status;
  }

  net::TestDir dir_;
  std::string path_ = dir_ / "web.yml";
  net::FakeReply reply_;
};

TEST_F(WebConfigFileTest, AdmitsWhoKnowsThePassword) {
  Write("basic_auth_users: {alice: $2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW}\n");
  auto file = WebConfigFile::Open(path_);
  ASSERT_TRUE(file.ok()) << file.status().message();
  EXPECT_EQ(Ask(**file, ""), 401);
  EXPECT_EQ(reply_.head.Get("WWW-Authenticate"), "Basic");
  EXPECT_EQ(reply_.body, "Unauthorized\n");
  for (int repeat = 0; repeat < 2; ++repeat) {
    EXPECT_EQ(Ask(**file, "Basic " + Base64("alice:U*U")), 200);
    EXPECT_EQ(Ask(**file, "basic " + Base64("alice:U*U")), 200);
    EXPECT_EQ(Ask(**file, "Basic " + Base64("alice:U*")), 401);
    EXPECT_EQ(Ask(**file, "Basic " + Base64("bob:U*U")), 401);
    EXPECT_EQ(Ask(**file, "Basic " + Base64("aliceU:*U")), 401);
  }
  EXPECT_EQ(Ask(**file, "Basic " + Base64("alice")), 401);
  EXPECT_EQ(Ask(**file, "Basic !!!"), 401);
  EXPECT_EQ(Ask(**file, "Bearer " + Base64("alice:U*U")), 401);
}

TEST_F(WebConfigFileTest, ForgetsNoUserAmongManyWrongPasswords) {
  Write("basic_auth_users: {alice: $2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW}\n");
  auto file = WebConfigFile::Open(path_);
  ASSERT_TRUE(file.ok());
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Ask(**file, "Basic " + Base64("alice:x" + std::to_string(i))), 401);
  EXPECT_EQ(Ask(**file, "Basic " + Base64("alice:U*U")), 200);
}

TEST_F(WebConfigFileTest, FollowsTheFile) {
  Write("http_server_config: {headers: {X-Frame-Options: deny}}\n");
  auto file = WebConfigFile::Open(path_);
  ASSERT_TRUE(file.ok()) << file.status().message();
  EXPECT_EQ(Ask(**file, ""), 200);
  EXPECT_EQ(reply_.head.Get("X-Frame-Options"), "deny");
  Write("basic_auth_users: {alice: $2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW}\n");
  EXPECT_EQ(Ask(**file, ""), 401);
  Write("broken: [\n");
  EXPECT_EQ(Ask(**file, "Basic " + Base64("alice:U*U")), 500);
  EXPECT_THAT(std::string((*file)->Get().status().message()), HasSubstr("web.yml: yaml: line "));
  Write("{}\n");
  EXPECT_EQ(Ask(**file, ""), 200);
}

TEST_F(WebConfigFileTest, ChecksFilesAtTheStart) {
  EXPECT_EQ(WebConfigFile::Open(dir_ / "absent.yml").status().code(), Code::kNotFound);
  Write("tls_server_config: {cert_file: none.pem, key_file: none.key}\n");
  EXPECT_THAT(std::string(WebConfigFile::Open(path_).status().message()), HasSubstr("none.pem"));
  net::TestAuthority authority("test");
  auto cert = authority.Issue(dir_, "server", "localhost", {"DNS:localhost"});
  Write("tls_server_config: {cert_file: " + cert.cert + ", key_file: " + cert.key + "}\n");
  auto file = WebConfigFile::Open(path_);
  ASSERT_TRUE(file.ok()) << file.status().message();
  EXPECT_EQ((*(*file)->Tls())->cert_file, cert.cert);
  EXPECT_TRUE(WebConfigFile::Open("").ok());
}

TEST(WebConfig, KnowsWhetherHttp2IsAskedFor) {
  EXPECT_TRUE(ParseWebConfig("http_server_config: {http2: true}\n", "")->asks_http2);
  EXPECT_FALSE(ParseWebConfig("http_server_config: {http2: false}\n", "")->asks_http2);
  EXPECT_FALSE(ParseWebConfig("basic_auth_users: {}\n", "")->asks_http2);
}

}  // namespace
}  // namespace gauntlet::server
