#include "net/tls.h"

#include <openssl/ssl.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include "net/testing/certs.h"
#include "net/tls_context.h"

namespace gauntlet::net {
namespace {

using ::testing::HasSubstr;

TEST(Tls, ParsesBothSpellingsOfVersions) {
  EXPECT_EQ(*ParseTlsVersion("1.0"), TlsVersion::k10);
  EXPECT_EQ(*ParseTlsVersion("TLS12"), TlsVersion::k12);
  EXPECT_EQ(*ParseTlsVersion("1.3"), TlsVersion::k13);
  EXPECT_EQ(ParseTlsVersion("SSLv3").status().code(), Code::kInvalid);
}

class TlsContextTest : public ::testing::Test {
 protected:
  TlsContextTest() : files_(authority_.Issue(dir_, "server", "server", {"DNS:localhost", "IP:127.0.0.1"}, "storage")) {
    authority_.WriteCaFile(dir_ / "ca.crt");
    server_.cert_file = files_.cert;
    server_.key_file = files_.key;
    client_.ca_file = dir_ / "ca.crt";
  }

  // Runs both sides in memory. Returns the client's error, or the server's after "server: ", or "".
  std::string Handshake(const std::string& host = "localhost") {
    auto server_context = server_contexts_.Get(server_);
    if (!server_context.ok()) return "server context: " + std::string(server_context.status().message());
    auto client_context = client_contexts_.Get(client_);
    if (!client_context.ok()) return "client context: " + std::string(client_context.status().message());
    ssl_server_.reset(SSL_new(server_context->get()));
    ssl_client_.reset(SSL_new(client_context->get()));
    BIO *a = nullptr, *b = nullptr;
    BIO_new_bio_pair(&a, 0, &b, 0);
    SSL_set_bio(ssl_server_.get(), a, a);
    SSL_set_bio(ssl_client_.get(), b, b);
    SSL_set_accept_state(ssl_server_.get());
    SSL_set_connect_state(ssl_client_.get());
    Status named = SetTlsServerName(ssl_client_.get(), client_, host);
    if (!named.ok()) return std::string(named.message());
    for (int round = 0; round < 20; ++round) {
      int c = SSL_do_handshake(ssl_client_.get());
      if (c != 1 && SSL_get_error(ssl_client_.get(), c) != SSL_ERROR_WANT_READ) return TlsErrorText(ssl_client_.get());
      int s = SSL_do_handshake(ssl_server_.get());
      if (s != 1 && SSL_get_error(ssl_server_.get(), s) != SSL_ERROR_WANT_READ) {
        return "server: " + TlsErrorText(ssl_server_.get());
      }
      if (c == 1 && s == 1) return "";
    }
    return "no end";
  }

  std::string Alpn() {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_client_.get(), &name, &size);
    return std::string(reinterpret_cast<const char*>(name), size);
  }

  TestDir dir_;
  TestAuthority authority_{"test authority"};
  TestCertFiles files_;
  TlsServerOptions server_;
  TlsClientOptions client_;
  TlsServerContexts server_contexts_{{"h2"}};
  TlsClientContexts client_contexts_{{"h2", "http/1.1"}};
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_server_{nullptr, SSL_free}, ssl_client_{nullptr, SSL_free};
};

TEST_F(TlsContextTest, AgreesOnProtocolAndNewestVersion) {
  EXPECT_EQ(Handshake(), "");
  EXPECT_EQ(Alpn(), "h2");
  EXPECT_STREQ(SSL_get_version(ssl_client_.get()), "TLSv1.3");
  EXPECT_EQ(Handshake("127.0.0.1"), "");
}

TEST_F(TlsContextTest, WrongNameIsRefused) {
  EXPECT_THAT(Handshake("example.org"), HasSubstr("hostname mismatch"));
  EXPECT_THAT(Handshake("127.0.0.2"), HasSubstr("IP address mismatch"));
  client_.server_name = "localhost";
  EXPECT_EQ(Handshake("example.org"), "");
  client_.server_name = "";
  client_.skip_verify = true;
  EXPECT_EQ(Handshake("example.org"), "");
}

TEST_F(TlsContextTest, UnknownAuthorityIsRefused) {
  TestAuthority other("other authority");
  other.WriteCaFile(client_.ca_file);
  EXPECT_THAT(Handshake(), HasSubstr("unable to get local issuer certificate"));
}

TEST_F(TlsContextTest, ClientCertificateIsDemandedAndVerified) {
  server_.client_ca_file = client_.ca_file;
  // A TLS 1.3 client believes itself done before the server judges its certificate: the server's word comes second.
  EXPECT_THAT(Handshake(), HasSubstr("peer did not return a certificate"));
  TestAuthority other("other authority");
  auto stranger = other.Issue(dir_, "stranger", "stranger", {});
  client_.cert_file = stranger.cert;
  client_.key_file = stranger.key;
  EXPECT_THAT(Handshake(), HasSubstr("certificate verify failed"));
  auto known = authority_.Issue(dir_, "known", "known", {}, "readers");
  client_.cert_file = known.cert;
  client_.key_file = known.key;
  EXPECT_EQ(Handshake(), "");
  auto peer = TlsPeerCertificate(ssl_server_.get());
  ASSERT_TRUE(peer.has_value());
  EXPECT_EQ(peer->common_name, "known");
  EXPECT_EQ(peer->organizational_units, std::vector<std::string>{"readers"});
}

TEST_F(TlsContextTest, UnverifiedCertificateNamesNobody) {
  server_.client_auth = "RequireAnyClientCert";
  EXPECT_THAT(Handshake(), HasSubstr("peer did not return a certificate"));
  TestAuthority other("other authority");
  auto stranger = other.Issue(dir_, "stranger", "stranger", {});
  client_.cert_file = stranger.cert;
  client_.key_file = stranger.key;
  EXPECT_EQ(Handshake(), "");
  EXPECT_FALSE(TlsPeerCertificate(ssl_server_.get()).has_value());
}

TEST_F(TlsContextTest, VersionsThatDoNotMeetAreRefused) {
  server_.max_version = TlsVersion::k12;
  client_.min_version = TlsVersion::k13;
  EXPECT_NE(Handshake(), "");
  client_.min_version = TlsVersion::k12;
  EXPECT_EQ(Handshake(), "");
  EXPECT_STREQ(SSL_get_version(ssl_client_.get()), "TLSv1.2");
  server_.min_version = server_.max_version = TlsVersion::k11;
  EXPECT_NE(Handshake(), "");
  client_.min_version = TlsVersion::k10;
  EXPECT_EQ(Handshake(), "");
  server_.min_version = TlsVersion::k13;
  EXPECT_THAT(Handshake(), HasSubstr("minimum version is above"));
}

TEST_F(TlsContextTest, GoNamesOfCiphersAndCurvesCount) {
  server_.max_version = TlsVersion::k12;
  server_.cipher_suites = {"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305"};
  server_.curves = {"CurveP384"};
  EXPECT_EQ(Handshake(), "");
  EXPECT_STREQ(SSL_get_cipher_name(ssl_client_.get()), "ECDHE-ECDSA-CHACHA20-POLY1305");
  server_.cipher_suites = {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"};  // the key is not RSA
  EXPECT_NE(Handshake(), "");
  server_.cipher_suites = {"TLS_NO_SUCH"};
  EXPECT_THAT(Handshake(), HasSubstr("unknown TLS cipher suite \"TLS_NO_SUCH\""));
  server_.cipher_suites = {};
  server_.curves = {"CurveP1"};
  EXPECT_THAT(Handshake(), HasSubstr("unknown TLS curve \"CurveP1\""));
}

TEST_F(TlsContextTest, ChangedFilesAreReadAgain) {
  TlsContext first = *server_contexts_.Get(server_);
  EXPECT_EQ(*server_contexts_.Get(server_), first);
  authority_.Issue(dir_, "server", "server", {"DNS:second.example"});
  EXPECT_NE(*server_contexts_.Get(server_), first);
  EXPECT_EQ(Handshake("second.example"), "");
}

TEST_F(TlsContextTest, HalfChangedFilesLeaveTheLastGoodContext) {
  TlsContext first = *server_contexts_.Get(server_);
  authority_.Issue(dir_, "other", "server", {"DNS:second.example"});
  std::filesystem::rename(dir_ / "other.crt", files_.cert);
  EXPECT_EQ(*server_contexts_.Get(server_), first);
  std::filesystem::rename(dir_ / "other.key", files_.key);
  EXPECT_EQ(Handshake("second.example"), "");
}

TEST_F(TlsContextTest, AbsentFileIsNamed) {
  server_.cert_file = dir_ / "nowhere.crt";
  EXPECT_THAT(Handshake(), HasSubstr("nowhere.crt: No such file or directory"));
}

}  // namespace
}  // namespace gauntlet::net
