#include "objstore/swift/swift_auth.h"

#include <gtest/gtest.h>

#include "base/executor.h"
#include "config/yaml.h"
#include "net/http/server.h"

namespace gauntlet::objstore {
namespace {

SwiftConfig Parse(const std::string& yaml) {
  auto config = ParseSwiftConfig(**config::ParseYaml("{auth_url: http://k/v3, container_name: c, " + yaml + "}"));
  EXPECT_TRUE(config.ok()) << config.status().message();
  return *config;
}

TEST(KeystoneLogin, SaysUserDomainAndProject) {
  EXPECT_EQ(
      KeystoneLogin(Parse("username: u, password: p, user_domain_name: d, project_name: j, project_domain_id: e")),
      R"({"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"u","domain":{"name":"d"},)"
      R"("password":"p"}}},"scope":{"project":{"name":"j","domain":{"id":"e"}}}}})");
  EXPECT_EQ(KeystoneLogin(Parse("user_id: i, password: p, project_id: j")),
            R"({"auth":{"identity":{"methods":["password"],"password":{"user":{"id":"i","password":"p"}}},)"
            R"("scope":{"project":{"id":"j"}}}})");
  EXPECT_EQ(
      KeystoneLogin(Parse("application_credential_id: i, application_credential_secret: s, project_id: j")),
      R"({"auth":{"identity":{"methods":["application_credential"],"application_credential":{"id":"i","secret":"s"}}}})");
}

TEST(SwiftAuth, KeystoneGivesTokenAndStorageOfTheRegion) {
  ThreadPool pool("test", 4);
  auto server = *net::HttpServer::Start(
      {},
      [&](net::HttpRequest& request, const Cancel&, net::HttpReply& reply) {
        EXPECT_EQ(request.path, "/v3/auth/tokens");
        reply.SetStatus(201);
        reply.headers().Set("X-Subject-Token", "TOKEN");
        (void)reply.Write(R"({"token":{"expires_at":"2026-01-05T01:00:00.000000Z","catalog":[
          {"type":"compute","endpoints":[{"interface":"public","region":"one","url":"http://wrong/"}]},
          {"type":"object-store","endpoints":[
            {"interface":"admin","region":"two","url":"http://wrong/"},
            {"interface":"public","region":"one","url":"http://wrong/"},
            {"interface":"public","region":"two","url":"http://swift:8080/v1/AUTH_j/"}]}]}})");
      },
      pool);
  SwiftConfig config = Parse("user_id: i, password: p, region_name: two");
  config.auth_url = "http://127.0.0.1:" + std::to_string(server->port()) + "/v3/";
  SwiftAuth auth(config, *net::HttpClient::Make({}));
  auto token = auth.Login(Cancel());
  ASSERT_TRUE(token.ok()) << token.status().message();
  EXPECT_EQ(token->token, "TOKEN");
  EXPECT_EQ(token->expires_ms, 1'767'574'800'000);
  EXPECT_EQ(auth.storage().ToString(), "http://swift:8080/v1/AUTH_j");
  config.region_name = "three";
  SwiftAuth nowhere(config, *net::HttpClient::Make({}));
  EXPECT_EQ(nowhere.Login(Cancel()).status().code(), Code::kInvalid);
}

}  // namespace
}  // namespace gauntlet::objstore
