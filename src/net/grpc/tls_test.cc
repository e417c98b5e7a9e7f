#include "net/grpc/testing/grpc_test.h"
#include "net/testing/certs.h"

namespace gauntlet::net {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class GrpcTlsTest : public GrpcTest {
 protected:
  GrpcTlsTest() {
    TestCertFiles files = authority_.Issue(dir_, "server", "server", {"DNS:localhost", "IP:127.0.0.1"});
    authority_.WriteCaFile(dir_ / "ca.crt");
    tls_.cert_file = files.cert;
    tls_.key_file = files.key;
    server_options_.tls = [this]() -> Result<std::optional<TlsServerOptions>> {
      MutexLock lock(mutex_);
      return std::optional(tls_);
    };
    options_.tls.emplace();
    options_.tls->ca_file = dir_ / "ca.crt";
  }

  void SetTls(const TlsServerOptions& tls) {
    MutexLock lock(mutex_);
    tls_ = tls;
  }

  std::string Failure() {
    auto answer = Unary("/t.Test/Echo", "x");
    if (answer.ok()) return "";
    EXPECT_EQ(answer.status().code(), Code::kUnavailable);
    return std::string(answer.status().message());
  }

  TestDir dir_;
  TestAuthority authority_{"test authority"};
  TlsServerOptions tls_;
};

TEST_F(GrpcTlsTest, CallsPassEncrypted) {
  Start();
  EXPECT_EQ(*Unary("/t.Test/Echo", "secret"), "secret");
  std::string big(5 << 20, 's');
  EXPECT_EQ(*Unary("/t.Test/Echo", big), big);
  auto call = Call("/t.Test/Stream");
  ASSERT_TRUE(call->Write("3000 5000").ok());
  ASSERT_TRUE(call->WritesDone().ok());
  int count = 0;
  for (std::string message; *call->Read(&message);) ++count;
  EXPECT_EQ(count, 3000);
  EXPECT_TRUE(call->Finish().ok());
}

TEST_F(GrpcTlsTest, PlainClientAndPlainServerAreNamedForWhatTheyAre) {
  StartServer();
  auto tls = std::exchange(options_.tls, std::nullopt);
  StartChannel();
  EXPECT_THAT(Failure(), HasSubstr(address_));
  server_.reset();
  server_options_.tls = nullptr;
  StartServer();
  options_.tls = tls;
  options_.addresses = {address_};
  StartChannel();
  EXPECT_THAT(Failure(), AllOf(HasSubstr(address_), HasSubstr("TLS handshake")));
}

TEST_F(GrpcTlsTest, UnverifiedServersAreRefused) {
  StartServer();
  TestAuthority other("other");
  other.WriteCaFile(dir_ / "other.crt");
  options_.tls->ca_file = dir_ / "other.crt";
  StartChannel();
  EXPECT_THAT(Failure(), AllOf(HasSubstr(address_), HasSubstr("certificate")));
  options_.tls->ca_file = dir_ / "ca.crt";
  options_.tls->server_name = "elsewhere.example";
  StartChannel();
  EXPECT_THAT(Failure(), HasSubstr("hostname mismatch"));
  options_.tls->server_name = "localhost";
  StartChannel();
  EXPECT_EQ(Failure(), "");
  options_.tls->ca_file = dir_ / "other.crt";
  options_.tls->skip_verify = true;
  StartChannel();
  EXPECT_EQ(Failure(), "");
  options_.tls->ca_file = dir_ / "nowhere.crt";
  options_.tls->skip_verify = false;
  EXPECT_THAT(std::string(GrpcChannel::Make(options_).status().message()), HasSubstr("nowhere.crt"));
}

TEST_F(GrpcTlsTest, ClientsNeedCertificatesWhenAsked) {
  tls_.client_ca_file = dir_ / "ca.crt";
  Start();
  EXPECT_NE(Failure(), "");
  TestCertFiles files = authority_.Issue(dir_, "client", "client", {});
  options_.tls->cert_file = files.cert;
  options_.tls->key_file = files.key;
  StartChannel();
  EXPECT_EQ(Failure(), "");
}

TEST_F(GrpcTlsTest, RotatedCertificatesServeNewConnections) {
  Start();
  EXPECT_EQ(Failure(), "");
  authority_.Issue(dir_, "server", "server", {"DNS:second.example"});
  EXPECT_EQ(Failure(), "");  // the connection goes on
  StartChannel();
  EXPECT_THAT(Failure(), HasSubstr("IP address mismatch"));
  options_.tls->server_name = "second.example";
  StartChannel();
  EXPECT_EQ(Failure(), "");
}

TEST_F(GrpcTlsTest, VersionsAndSuitesAreHonoured) {
  TlsServerOptions tls = tls_;
  tls.max_version = TlsVersion::k12;
  SetTls(tls);
  options_.tls->min_version = TlsVersion::k13;
  Start();
  EXPECT_THAT(Failure(), HasSubstr("TLS handshake"));
  options_.tls->min_version = TlsVersion::k12;
  StartChannel();
  EXPECT_EQ(Failure(), "");
  tls.cipher_suites = {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"};  // not for this key
  SetTls(tls);
  StartChannel();
  EXPECT_THAT(Failure(), HasSubstr("TLS handshake"));
}

TEST_F(GrpcTlsTest, ServerWithoutUsableFilesTurnsClientsAwayAndRecovers) {
  TlsServerOptions good = tls_, bad = tls_;
  bad.cert_file = dir_ / "nowhere.crt";
  SetTls(bad);
  Start();
  EXPECT_THAT(Failure(), HasSubstr(address_));
  SetTls(good);
  EXPECT_TRUE(Unary("/t.Test/Echo", "x", true).ok());
}

}  // namespace
}  // namespace gauntlet::net
