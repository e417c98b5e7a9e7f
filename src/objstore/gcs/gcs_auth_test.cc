#include "objstore/gcs/gcs_auth.h"

#include <gtest/gtest.h>

#include "base/executor.h"
#include "io/fake_file_system.h"
#include "json/writer.h"
#include "net/http_server.h"
#include "objstore/sign.h"

namespace gauntlet::objstore {
namespace {

// Made for this test: openssl genrsa 1024.
constexpr char kPem[] = R"(-----BEGIN PRIVATE KEY-----
MIICdwIBADANBgkqhkiG9w0BAQEFAASCAmEwggJdAgEAAoGBAKTWtoqzOpBLOXUM
ZFAh8ZzpyvihzF3AAb6r0tfMNhwZw8y3XK3sg8j4w1nXxD5nXz3w57uDB8RlURnL
1kKzXc8DjIniX6Z8mHgu6QslGZvgnu0HQTjaKDq/RWkQHb3XWhn88Rw416AA2FXz
LqW4D65xU50Af1JqDzJCtII969BDAgMBAAECgYEAnnw+R/7oyME6vhoq/IyWRDrY
xtKxrlWkl9GWR5t1TvFKuzJ07lgfoQPktyXn7ePvw5szAquJtT+AiV/dYoYYIx11
bkl6728acftFYBPaagxDKVGEJY8j2MDrMHzdy/JyezHt83y5UhYv2liEN0vOYXz0
rWwdVcQt2gie38GPjJkCQQDSGICe6HpnfUGjl2U+Gk5BwDqns8k/KoiF2LUGgSqL
0nZ1oG/OuUBeuN29QoNPUpq/9+s2GhmMM7W2J/gf/Sb/AkEAyNrOKJXSekUkALlJ
yTLmpH3wch0K9w9k4+Qedj/QjocG2YmBjbFyczXRGD3STJGNF2kZotyHwXKoYWYG
4Q/6vQJAQe7MlpIQr9+gNM2zSR0KSBoijjSeyIL5mz+Z9/ObPYwL/vgdfnumltNf
SyDPgppC1FHib/Ua5WPo98RtWuSgUwJAEea2cxWPUchxwgLBmcYImmaDFJiUDpr3
ofwF3wInA1zzdlX0Dv3etnf4b9GquZpLWefLGiHPk6U1bqDaQhrbfQJBAMPr8lLZ
rOOsU9ymbckVUB7MHr3RHc88Tc8S7XeMzaDxTTbkuRhRn9AVx+zhIweqQ8YuW8rA
xge7p+kPVamk+t0=
-----END PRIVATE KEY-----
)";

TEST(GcsAuth, AssertionIsAJwtWithItsClaims) {
  auto text = GoogleAssertion("me@project", "key-1", kPem, "https://token", 1000);
  ASSERT_TRUE(text.ok()) << text.status().message();
  size_t first = text->find('.'), second = text->find('.', first + 1);
  std::string header = text->substr(0, first), claims = text->substr(first + 1, second - first - 1);
  EXPECT_EQ(header, Base64Url(R"({"alg":"RS256","typ":"JWT","kid":"key-1"})"));
  EXPECT_EQ(claims,
            Base64Url(R"({"iss":"me@project","scope":"https://www.googleapis.com/auth/devstorage.full_control",)"
                      R"("aud":"https://token","iat":1000,"exp":4600})"));
  // 1024 bits, in base64 without padding; the same text is signed the same.
  EXPECT_EQ(text->size() - second - 1, 171u);
  EXPECT_EQ(*GoogleAssertion("me@project", "key-1", kPem, "https://token", 1000), *text);
  EXPECT_FALSE(GoogleAssertion("me", "key", "no key", "aud", 0).ok());
}

TEST(GcsAuth, ServiceAccountAsksForATokenAndKeepsIt) {
  ThreadPool pool("test", 4);
  std::atomic<int> asked{0};
  auto server = *net::HttpServer::Start(
      {},
      [&](net::HttpRequest& request, const Cancel&, net::HttpReply& reply) {
        EXPECT_EQ(request.Form()->Get("grant_type"), "urn:ietf:params:oauth:grant-type:jwt-bearer");
        (void)reply.Write("{\"access_token\":\"T" + std::to_string(++asked) + "\",\"expires_in\":3600}");
      },
      pool);
  std::string key;
  json::Writer(&key)
      .BeginObject()
      .StringMember("type", "service_account")
      .StringMember("client_email", "me")
      .StringMember("private_key_id", "1")
      .StringMember("private_key", kPem)
      .StringMember("token_uri", "http://127.0.0.1:" + std::to_string(server->port()) + "/")
      .EndObject();
  io::FakeFileSystem files;
  SimulatedClock clock(1'767'571'200'000);
  auto authorizer = MakeGcsAuthorizer(key, files, clock);
  ASSERT_TRUE(authorizer.ok()) << authorizer.status().message();
  auto header = [&] {
    Request request;
    EXPECT_TRUE((*authorizer)->Authorize(0, "", &request, Cancel()).ok());
    return std::string(request.headers.Get("Authorization"));
  };
  EXPECT_EQ(header(), "Bearer T1");
  EXPECT_EQ(header(), "Bearer T1");
  clock.Advance(std::chrono::minutes(58));
  EXPECT_EQ(header(), "Bearer T2");
  EXPECT_TRUE((*authorizer)->Renew());
  EXPECT_EQ(header(), "Bearer T3");
}

TEST(GcsAuth, OtherCredentialsAreRefused) {
  io::FakeFileSystem files;
  EXPECT_EQ(MakeGcsAuthorizer("{\"type\":\"external_account\"}", files, SystemClock()).status().code(),
            Code::kUnsupported);
  EXPECT_EQ(MakeGcsAuthorizer("not json", files, SystemClock()).status().code(), Code::kInvalid);
}

}  // namespace
}  // namespace gauntlet::objstore
