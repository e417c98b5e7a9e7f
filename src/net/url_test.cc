#include "net/url.h"

#include <gtest/gtest.h>

namespace gauntlet::net {
namespace {

TEST(Url, ParsesAllParts) {
  auto url = Url::Parse("HTTPS://us%40er:p%3Ass@Example.COM:9091/a%2Fb/c?x=1&y#frag");
  ASSERT_TRUE(url.ok()) << url.status().message();
  EXPECT_EQ(url->scheme, "https");
  EXPECT_EQ(url->username, "us@er");
  EXPECT_EQ(url->password, "p:ss");
  EXPECT_EQ(url->host, "example.com");
  EXPECT_EQ(url->port, 9091);
  EXPECT_EQ(url->path, "/a%2Fb/c");
  EXPECT_EQ(url->query, "x=1&y");
  EXPECT_EQ(url->ToString(), "https://us%40er:p%3Ass@example.com:9091/a%2Fb/c?x=1&y");
  EXPECT_EQ(url->ToPublicString(), "https://example.com:9091/a%2Fb/c?x=1&y");
}

TEST(Url, PortComesFromTheSchemeWhenNotGiven) {
  EXPECT_EQ(Url::Parse("http://h")->EffectivePort(), 80);
  EXPECT_EQ(Url::Parse("https://h:")->EffectivePort(), 443);
  EXPECT_EQ(Url::Parse("http://h")->Authority(), "h");
}

TEST(Url, Ipv6HostsLoseTheirBracketsOnlyInHost) {
  auto url = Url::Parse("http://[2001:DB8::1]:80/");
  ASSERT_TRUE(url.ok());
  EXPECT_EQ(url->host, "2001:db8::1");
  EXPECT_EQ(url->Authority(), "[2001:db8::1]:80");
}

TEST(Url, JoinPutsOneSlashBetween) {
  EXPECT_EQ(Url::Parse("http://h")->Join("api/v1").ToString(), "http://h/api/v1");
  EXPECT_EQ(Url::Parse("http://h/p/?x=1")->Join("/api/v1").ToString(), "http://h/p/api/v1");
}

TEST(Url, RefusesWhatIsNotHttp) {
  for (const char* text : {"", "h:9090", "ftp://h", "http://", "http:///p", "http://h:0", "http://h:65536",
                           "http://h:x", "http://[::1", "http://[::1]x", "http://[h]", "http://a b", "http://h/%zz",
                           "http://h\n", "http://u:%zz@h", "http://h!:1", "//h"}) {
    EXPECT_EQ(Url::Parse(text).status().code(), Code::kInvalid) << text;
  }
}

TEST(Url, ErrorsDoNotShowThePassword) {
  auto url = Url::Parse("http://user:secret@h:99999/");
  EXPECT_EQ(url.status().message().find("secret"), std::string::npos) << url.status().message();
}

TEST(SplitHostPort, FollowsGo) {
  std::string host, port;
  ASSERT_TRUE(SplitHostPort("[::1]:53", &host, &port).ok());
  EXPECT_EQ(host + "|" + port, "::1|53");
  ASSERT_TRUE(SplitHostPort(":80", &host, &port).ok());
  EXPECT_EQ(host + "|" + port, "|80");
  for (const char* text :
       {"", "h", "::1", "h:65536", "h:99999999999", "h:-1", "a:b:1", "[::1]", "[::1]1:2", "[::1:2"}) {
    EXPECT_EQ(SplitHostPort(text, &host, &port).code(), Code::kInvalid) << text;
  }
  EXPECT_EQ(JoinHostPort("::1", "9"), "[::1]:9");
  EXPECT_EQ(JoinHostPort("h", "9"), "h:9");
}

}  // namespace
}  // namespace gauntlet::net
