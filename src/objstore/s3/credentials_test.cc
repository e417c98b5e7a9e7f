#include "objstore/s3/credentials.h"

#include <gtest/gtest.h>

#include <map>

#include "base/executor.h"
#include "io/fake_file_system.h"
#include "net/http/server.h"

namespace gauntlet::objstore {
namespace {

class CredentialsTest : public testing::Test {
 protected:
  CredentialsTest() {
    server_ = *net::HttpServer::Start(
        {},
        [this](net::HttpRequest& request, const Cancel&, net::HttpReply& reply) {
          std::string seen = request.method + " " + request.path;
          for (const char* header : {"X-aws-ec2-metadata-token", "Authorization"}) {
            if (request.headers.Has(header)) seen += " " + std::string(request.headers.Get(header));
          }
          MutexLock lock(mutex_);
          seen_.push_back(seen + (request.body.empty() ? "" : " " + request.body));
          auto found = answers_.find(request.method + " " + request.path);
          if (found == answers_.end()) return reply.SetStatus(404);
          (void)reply.Write(found->second);
        },
        pool_);
    client_ = *net::HttpClient::Make({});
  }
  Result<Credentials> Get(std::map<std::string, std::string> env) {
    Make(std::move(env));
    return chain_->Get(Cancel());
  }
  void Make(std::map<std::string, std::string> env) {
    CredentialOptions options;
    options.endpoint = url();
    options.environment = [env](const std::string& name) -> std::optional<std::string> {
      auto found = env.find(name);
      return found == env.end() ? std::nullopt : std::optional(found->second);
    };
    chain_ = std::make_unique<CredentialChain>(options, *client_, files_, clock_);
  }
  void Answer(const std::string& request, const std::string& answer) {
    MutexLock lock(mutex_);
    answers_[request] = answer;
  }
  std::vector<std::string> seen() {
    MutexLock lock(mutex_);
    return seen_;
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_->port()); }

  ThreadPool pool_{"test", 8};
  io::FakeFileSystem files_;
  SimulatedClock clock_{1'767'571'200'000};  // 2026-01-05T00:00:00Z
  Mutex mutex_;
  std::map<std::string, std::string> answers_;
  std::vector<std::string> seen_;
  std::unique_ptr<net::HttpServer> server_;
  std::unique_ptr<net::HttpClient> client_;
  std::unique_ptr<CredentialChain> chain_;
};

std::string RoleJson(const std::string& key, const std::string& expiration) {
  return R"({"Code":"Success","AccessKeyId":")" + key + R"(","SecretAccessKey":"s","Token":"t","Expiration":")" +
         expiration + "\"}";
}

TEST_F(CredentialsTest, EnvironmentComesFirst) {
  auto got = Get({{"AWS_ACCESS_KEY_ID", "a"}, {"AWS_SECRET_ACCESS_KEY", "s"}, {"AWS_SESSION_TOKEN", "t"}});
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got->access_key + got->secret_key + got->session_token, "ast");
  EXPECT_EQ(Get({{"AWS_ACCESS_KEY", "old"}, {"AWS_SECRET_KEY", "s"}})->access_key, "old");
}

TEST_F(CredentialsTest, FileByProfile) {
  ASSERT_TRUE(files_.MakeDirectories("/root/.aws").ok());
  ASSERT_TRUE(files_
                  .WriteAtomically("/root/.aws/credentials",
                                   "# mine\n[default]\naws_access_key_id = d\naws_secret_access_key=s\n[ other ]\n"
                                   "aws_access_key_id=o\naws_secret_access_key = s2\naws_session_token=t2\n")
                  .ok());
  EXPECT_EQ(Get({{"HOME", "/root"}})->access_key, "d");
  auto other = Get({{"HOME", "/root"}, {"AWS_PROFILE", "other"}});
  EXPECT_EQ(other->access_key + other->secret_key + other->session_token, "os2t2");
}

TEST_F(CredentialsTest, InstanceRoleByTokenAndRenewedBeforeItsEnd) {
  Answer("PUT /latest/api/token", "TOKEN");
  Answer("GET /latest/meta-data/iam/security-credentials/", "role-1\n");
  Answer("GET /latest/meta-data/iam/security-credentials/role-1", RoleJson("first", "2026-01-05T01:00:00Z"));
  auto got = Get({});
  ASSERT_TRUE(got.ok()) << got.status().message();
  EXPECT_EQ(got->access_key + got->session_token, "firstt");
  EXPECT_EQ(seen(),
            (std::vector<std::string>{"PUT /latest/api/token", "GET /latest/meta-data/iam/security-credentials/ TOKEN",
                                      "GET /latest/meta-data/iam/security-credentials/role-1 TOKEN"}));
  Answer("GET /latest/meta-data/iam/security-credentials/role-1", RoleJson("second", "2026-01-05T02:00:00Z"));
  clock_.Advance(std::chrono::minutes(54));
  EXPECT_EQ(chain_->Get(Cancel())->access_key, "first");
  clock_.Advance(std::chrono::minutes(2));
  EXPECT_EQ(chain_->Get(Cancel())->access_key, "second");
  EXPECT_TRUE(chain_->Forget());
  EXPECT_EQ(chain_->Get(Cancel())->access_key, "second");
  EXPECT_EQ(seen().size(), 9u);
}

TEST_F(CredentialsTest, ATroubledServiceDoesNotTakeGoodKeysAway) {
  Answer("PUT /latest/api/token", "TOKEN");
  Answer("GET /latest/meta-data/iam/security-credentials/", "r");
  Answer("GET /latest/meta-data/iam/security-credentials/r", RoleJson("first", "2026-01-05T01:00:00Z"));
  ASSERT_TRUE(Get({}).ok());
  Answer("GET /latest/meta-data/iam/security-credentials/r", "{");
  clock_.Advance(std::chrono::minutes(57));
  EXPECT_EQ(chain_->Get(Cancel())->access_key, "first");
  clock_.Advance(std::chrono::minutes(5));
  EXPECT_FALSE(chain_->Get(Cancel()).ok());
}

TEST_F(CredentialsTest, WebIdentityAsksSts) {
  ASSERT_TRUE(files_.MakeDirectories("/var").ok());
  ASSERT_TRUE(files_.WriteAtomically("/var/token", "JWT\n").ok());
  Answer("POST /",
         "<AssumeRoleWithWebIdentityResponse xmlns=\"u\"><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>w"
         "</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>"
         "2026-01-05T01:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult>"
         "</AssumeRoleWithWebIdentityResponse>");
  auto got = Get({{"AWS_WEB_IDENTITY_TOKEN_FILE", "/var/token"},
                  {"AWS_ROLE_ARN", "arn:aws:iam::1:role/r"},
                  {"AWS_ROLE_SESSION_NAME", "n"}});
  ASSERT_TRUE(got.ok()) << got.status().message();
  EXPECT_EQ(got->access_key + got->secret_key + got->session_token, "wst");
  EXPECT_EQ(seen().at(0),
            "POST / Action=AssumeRoleWithWebIdentity&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr&RoleSessionName=n&"
            "Version=2011-06-15&WebIdentityToken=JWT");
}

TEST_F(CredentialsTest, ContainerByItsUrlAndTokenFile) {
  ASSERT_TRUE(files_.MakeDirectories("/var").ok());
  ASSERT_TRUE(files_.WriteAtomically("/var/token", "POD\n").ok());
  Answer("GET /v1/credentials", RoleJson("pod", "2026-01-05T01:00:00Z"));
  EXPECT_EQ(Get({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", url() + "/v1/credentials"},
                 {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/var/token"}})
                ->access_key,
            "pod");
  EXPECT_EQ(seen().at(0), "GET /v1/credentials POD");
  EXPECT_EQ(Get({{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v1/credentials"}})->access_key, "pod");
}

TEST_F(CredentialsTest, NothingThereIsAnonymous) {
  auto got = Get({});  // 404 to all
  ASSERT_TRUE(got.ok()) << got.status().message();
  EXPECT_TRUE(got->anonymous());
  EXPECT_FALSE(chain_->Forget());
}

}  // namespace
}  // namespace gauntlet::objstore
