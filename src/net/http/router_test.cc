#include "net/http/router.h"

#include <gtest/gtest.h>

#include "base/cancel.h"
#include "net/http/testing/fake_reply.h"

namespace gauntlet::net {
namespace {

HttpHandler Says(std::string text) {
  return [text](const HttpRequest& request, const Cancel&, HttpReply& reply) {
    std::string out = text;
    for (const auto& [name, value] : request.path_values) out += " " + name + "=" + value;
    (void)reply.Write(out);
  };
}

FakeReply Ask(const HttpRouter& router, std::string method, std::string path, std::string query = "") {
  HttpRequest request;
  request.method = std::move(method);
  request.path = std::move(path);
  request.query = std::move(query);
  FakeReply reply;
  router.Serve(request, Cancel(), reply);
  return reply;
}

TEST(HttpRouter, PatternsFillPathValues) {
  HttpRouter router;
  router.Add("GET", "/api/v1/label/:name/values", "label_values", Says("label"));
  router.Add("GET", "/debug/pprof/*rest", "pprof", Says("pprof"));
  EXPECT_EQ(Ask(router, "GET", "/api/v1/label/job/values").body, "label name=job");
  EXPECT_EQ(Ask(router, "GET", "/debug/pprof/a/b").body, "pprof rest=a/b");
  EXPECT_EQ(Ask(router, "GET", "/debug/pprof/").body, "pprof rest=");
  EXPECT_EQ(Ask(router, "GET", "/api/v1/label//values").status, 404);
  EXPECT_EQ(Ask(router, "GET", "/api/v1/label/a/b/values").status, 404);
}

TEST(HttpRouter, LiteralWinsWhateverTheOrder) {
  HttpRouter router;
  router.Add("GET", "/*rest", "any", Says("any"));
  router.Add("GET", "/a/:x", "named", Says("named"));
  router.Add("GET", "/a/b", "literal", Says("literal"));
  EXPECT_EQ(Ask(router, "GET", "/a/b").body, "literal");
  EXPECT_EQ(Ask(router, "GET", "/a/c").body, "named x=c");
  EXPECT_EQ(Ask(router, "GET", "/z/c").body, "any rest=z/c");
  EXPECT_EQ(Ask(router, "GET", "/").body, "any rest=");
}

TEST(HttpRouter, OtherMethodIs405WithAllow) {
  HttpRouter router;
  router.Add("GET", "/api/v1/stores", "stores", Says("x"));
  router.Add("GET,POST", "/api/v1/query", "query", Says("q"));
  FakeReply reply = Ask(router, "POST", "/api/v1/stores");
  EXPECT_EQ(reply.status, 405);
  EXPECT_EQ(reply.headers().Get("Allow"), "GET, OPTIONS");
  EXPECT_EQ(reply.body, "Method Not Allowed\n");
  EXPECT_EQ(Ask(router, "POST", "/api/v1/query").body, "q");
  FakeReply options = Ask(router, "OPTIONS", "/api/v1/query");
  EXPECT_EQ(options.status, 204);
  EXPECT_EQ(options.headers().Get("Allow"), "GET, OPTIONS, POST");
}

TEST(HttpRouter, UnknownPathIsPlain404) {
  HttpRouter router;
  router.Add("GET", "/a", "a", Says("a"));
  for (const char* path : {"/b", "*", "", "/a/b"}) {
    FakeReply reply = Ask(router, "GET", path);
    EXPECT_EQ(reply.status, 404) << path;
    EXPECT_EQ(reply.body, "404 page not found\n");
    EXPECT_EQ(reply.headers().Get("Content-Type"), "text/plain; charset=utf-8");
  }
}

TEST(HttpRouter, APathKnownForOptionsAloneIsUnknown) {
  HttpRouter router;
  router.Add("OPTIONS", "/api/v1/*path", "options", Says("o"));
  router.Add("GET", "/api/v1/query", "query", Says("q"));
  EXPECT_EQ(Ask(router, "GET", "/api/v1/nothing").status, 404);
  EXPECT_EQ(Ask(router, "GET", "/api/v1/query/").status, 301);
  EXPECT_EQ(Ask(router, "PUT", "/api/v1/query").status, 405);
  EXPECT_EQ(Ask(router, "OPTIONS", "/api/v1/nothing").body, "o path=nothing");
}

TEST(HttpRouter, DoubledSlashesAndDotsAreCleaned) {
  HttpRouter router;
  router.Add("GET", "/api/v1/query", "query", Says("q"));
  router.Add("GET", "/dir/", "dir", Says("d"));
  router.Add("GET", "/", "root", Says("r"));
  for (const char* path : {"//api/v1/query", "/api//v1///query", "/./api/v1/query", "/api/v2/../v1/query"}) {
    EXPECT_EQ(Ask(router, "GET", path).body, "q") << path;
  }
  for (const char* path : {"//dir//", "/dir/.", "/dir/a/.."}) EXPECT_EQ(Ask(router, "GET", path).body, "d") << path;
  for (const char* path : {"//", "/..", "/../../", "/."}) EXPECT_EQ(Ask(router, "GET", path).body, "r") << path;
}

TEST(HttpRouter, TrailingSlashRedirects) {
  HttpRouter router;
  router.Add("GET,POST", "/graph", "graph", Says("g"));
  router.Add("GET", "/dir/", "dir", Says("d"));
  FakeReply reply = Ask(router, "GET", "/graph/", "a=1");
  EXPECT_EQ(reply.status, 301);
  EXPECT_EQ(reply.headers().Get("Location"), "/graph?a=1");
  EXPECT_EQ(Ask(router, "GET", "/dir").headers().Get("Location"), "/dir/");
  EXPECT_EQ(Ask(router, "POST", "/graph/").status, 308);
}

TEST(HttpRouter, RedirectsStayOnThisHost) {
  HttpRouter router;
  router.Add("GET", "/evil/x", "y", Says("y"));
  EXPECT_EQ(Ask(router, "GET", "//evil/x/").headers().Get("Location"), "/evil/x");
}

TEST(HttpRouter, PrefixGoesBeforeThePatternsAndRootRedirects) {
  for (const char* prefix : {"/thanos", "thanos", "/thanos/"}) {
    HttpRouter router(prefix);
    router.Add("GET", "/graph", "graph", Says("g"));
    router.AddUnprefixed("GET", "/metrics", "", Says("m"));
    EXPECT_EQ(Ask(router, "GET", "/thanos/graph").body, "g");
    EXPECT_EQ(Ask(router, "GET", "/graph").status, 404);
    EXPECT_EQ(Ask(router, "GET", "/metrics").body, "m");
    EXPECT_EQ(Ask(router, "GET", "/thanos/metrics").status, 404);
    EXPECT_EQ(Ask(router, "GET", "/").status, 302);
    EXPECT_EQ(Ask(router, "GET", "/").headers().Get("Location"), "/thanos/");
  }
}

TEST(HttpRouter, AroundSeesTheNameOfTheHandler) {
  std::vector<std::string> seen;
  HttpRouter router(
      "", [&](const HttpHandler& handler, const HttpRequest& request, const Cancel& cancel, HttpReply& reply) {
        seen.push_back(request.route);
        handler(request, cancel, reply);
      });
  router.Add("GET", "/api/v1/query", "query", Says("q"));
  EXPECT_EQ(Ask(router, "GET", "/api/v1/query").body, "q");
  EXPECT_EQ(Ask(router, "GET", "/nowhere").status, 404);
  EXPECT_EQ(seen, std::vector<std::string>{"query"});
}

}  // namespace
}  // namespace gauntlet::net
