#include "objstore/gcs/gcs_auth.h"

#include <gtest/gtest.h>

#include "base/executor.h"
#include "io/fake_file_system.h"
#include "json/writer.h"
#include "net/http/server.h"
#include "objstore/sign.h"
#include "objstore/testing/rsa_key.h"

namespace gauntlet::objstore {
namespace {

TEST(GcsAuth, AssertionIsAJwtWithItsClaims) {
  auto text = GoogleAssertion("me@project", "key-1", kTestRsaKey, "https://token", 1000);
  ASSERT_TRUE(text.ok()) << text.status().message();
  size_t first = text->find('.'), second = text->find('.', first + 1);
  std::string header = text->substr(0, first), claims = text->substr(first + 1, second - first - 1);
  EXPECT_EQ(header, Base64Url(R"({"alg":"RS256","typ":"JWT","kid":"key-1"})"));
  EXPECT_EQ(claims,
            Base64Url(R"({"iss":"me@project","scope":"https://www.googleapis.com/auth/devstorage.full_control",)"
                      R"("aud":"https://token","iat":1000,"exp":4600})"));
  // 1024 bits, in base64 without padding; the same text is signed the same.
  EXPECT_EQ(text->size() - second - 1, 171u);
  EXPECT_EQ(*GoogleAssertion("me@project", "key-1", kTestRsaKey, "https://token", 1000), *text);
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
      .StringMember("private_key", kTestRsaKey)
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
