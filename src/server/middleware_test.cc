#include "server/middleware.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/http/testing/fake_reply.h"
#include "server/prober.h"

namespace gauntlet::server {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kParent[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

net::HttpRequest Request(std::vector<std::pair<std::string, std::string>> headers = {}) {
  net::HttpRequest request;
  request.method = "GET";
  request.path = request.target = "/api/v1/query";
  request.route = "query";
  for (const auto& [name, value] : headers) request.headers.Set(name, value);
  return request;
}

class MiddlewareTest : public testing::Test {
 protected:
  void Serve(Middleware& middleware, net::HttpRequest& request, int status = 200) {
    reply_ = net::FakeReply();
    seen_ = net::HttpRequest();
    middleware.Serve(
        [&](const net::HttpRequest& seen, const Cancel&, net::HttpReply& reply) {
          seen_ = seen;
          in_flight_ = registry_.Expose(false);
          reply.SetStatus(status);
          (void)reply.Write("body!");
        },
        request, Cancel(), reply_);
  }

  telemetry::Registry registry_;
  net::FakeReply reply_;
  net::HttpRequest seen_;
  std::string in_flight_;
};

TEST_F(MiddlewareTest, CountsRequestsUnderThanosNames) {
  Middleware middleware({}, registry_, telemetry::Logger::Discard());
  auto request = Request();
  Serve(middleware, request);
  EXPECT_THAT(in_flight_, HasSubstr("http_inflight_requests{handler=\"query\",method=\"get\"} 1\n"));
  request.method = "BREW";
  Serve(middleware, request, 418);
  std::string text = registry_.Expose(false);
  for (const char* line :
       {"http_requests_total{code=\"200\",handler=\"query\",method=\"get\"} 1\n",
        "http_requests_total{code=\"418\",handler=\"query\",method=\"unknown\"} 1\n",
        "http_request_duration_seconds_bucket{code=\"200\",handler=\"query\",method=\"get\",le=\"720\"} 1\n",
        "http_request_duration_seconds_count{code=\"200\",handler=\"query\",method=\"get\"} 1\n",
        "http_request_size_bytes_count{code=\"200\",handler=\"query\",method=\"get\"} 1\n",
        "http_response_size_bytes_sum{code=\"200\",handler=\"query\",method=\"get\"} 5\n",
        "http_inflight_requests{handler=\"query\",method=\"get\"} 0\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST_F(MiddlewareTest, LeavesRoutesWithoutNameAlone) {
  Middleware middleware({}, registry_, telemetry::Logger::Discard());
  auto request = Request();
  request.route = "";
  Serve(middleware, request);
  EXPECT_EQ(reply_.body, "body!");
  EXPECT_EQ(registry_.Expose(false), "");
  EXPECT_TRUE(reply_.head.all().empty());
}

TEST_F(MiddlewareTest, KeepsOrMakesTheRequestId) {
  Middleware middleware({}, registry_, telemetry::Logger::Discard());
  auto request = Request({{"X-Request-ID", "mine"}});
  Serve(middleware, request);
  EXPECT_EQ(RequestId(seen_), "mine");
  EXPECT_EQ(reply_.head.Get("X-Request-ID"), "mine");
  for (std::string bad : {std::string(), std::string("two words"), std::string(1000, 'x'), std::string("a\nb")}) {
    request = Request({{"X-Request-ID", bad}});
    Serve(middleware, request);
    EXPECT_EQ(RequestId(seen_).size(), 26u);
    EXPECT_EQ(RequestId(seen_), reply_.head.Get("X-Request-ID"));
  }
}

TEST_F(MiddlewareTest, SetsCorsHeadersUnlessDisabled) {
  Middleware with({}, registry_, telemetry::Logger::Discard());
  auto request = Request();
  Serve(with, request);
  EXPECT_EQ(reply_.head.Get("Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(reply_.head.Get("Access-Control-Expose-Headers"), "Date");
  MiddlewareOptions options;
  options.cors = false;
  Middleware without(std::move(options), registry_, telemetry::Logger::Discard());
  Serve(without, request);
  EXPECT_FALSE(reply_.head.Has("Access-Control-Allow-Origin"));
}

TEST_F(MiddlewareTest, TracesFromTheCallerToTheHandler) {
  std::vector<telemetry::SpanRecord> spans;
  telemetry::Tracer tracer({0, true, [&](telemetry::SpanRecord span) { spans.push_back(std::move(span)); }});
  MiddlewareOptions options;
  options.tracer = &tracer;
  Middleware middleware(std::move(options), registry_, telemetry::Logger::Discard());
  auto request = Request({{"traceparent", kParent}});
  Serve(middleware, request);
  EXPECT_TRUE(spans.empty());  // the caller did not sample it
  EXPECT_EQ(reply_.head.Get("X-Thanos-Trace-Id"), "0af7651916cd43dd8448eb211c80319c");

  request = Request({{"traceparent", kParent}, {"X-Thanos-Force-Tracing", "1"}});
  Serve(middleware, request, 500);
  ASSERT_EQ(spans.size(), 1u);
  EXPECT_EQ(spans[0].name, "/query HTTP[server]");
  EXPECT_EQ(spans[0].kind, telemetry::SpanRecord::Kind::kServer);
  EXPECT_EQ(spans[0].error, "Internal Server Error");
  EXPECT_EQ(TraceOf(seen_).span_id, spans[0].context.span_id);
  EXPECT_EQ(TraceOf(seen_).trace_id, telemetry::SpanContext::FromTraceparent(kParent)->trace_id);
  EXPECT_TRUE(TraceOf(seen_).sampled);
}

TEST_F(MiddlewareTest, WithoutTracerPassesTheContextOn) {
  Middleware middleware({}, registry_, telemetry::Logger::Discard());
  auto request = Request({{"traceparent", kParent}});
  Serve(middleware, request);
  EXPECT_EQ(seen_.headers.Get("traceparent"), kParent);
  request = Request();
  Serve(middleware, request);
  EXPECT_FALSE(TraceOf(seen_).valid());
  EXPECT_FALSE(reply_.head.Has("X-Thanos-Trace-Id"));
}

TEST_F(MiddlewareTest, FindsTheTenantAndRefusesBadOnes) {
  MiddlewareOptions options;
  options.tenancy = TenancyOptions{.header = "X-Team"};
  Middleware middleware(std::move(options), registry_, telemetry::Logger::Discard());
  auto request = Request({{"X-Team", "blue"}});
  Serve(middleware, request);
  EXPECT_EQ(seen_.tenant, "blue");
  request = Request({{"THANOS-TENANT", "red"}});
  Serve(middleware, request);
  EXPECT_EQ(seen_.tenant, "red");
  request = Request();
  Serve(middleware, request);
  EXPECT_EQ(seen_.tenant, "default-tenant");
  request = Request({{"X-Team", "../../etc"}});
  Serve(middleware, request);
  EXPECT_EQ(reply_.status, 400);
  EXPECT_EQ(reply_.body, "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"Tenant name not valid\"}");
  EXPECT_EQ(seen_.route, "");  // the handler was not called
  std::string text = registry_.Expose(false);
  EXPECT_THAT(text, HasSubstr("{code=\"200\",handler=\"query\",method=\"get\",tenant=\"blue\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("{code=\"400\",handler=\"query\",method=\"get\",tenant=\"default-tenant\"} 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("etc")));
}

TEST(Tenancy, NameIsOnePathElement) {
  for (const char* good : {"a", "team-a.b_c", "...", "ü"}) EXPECT_TRUE(CheckTenant(good).ok()) << good;
  for (std::string bad : {"", ".", "..", "a/b", "/", "a/", "..\\x"}) EXPECT_FALSE(CheckTenant(bad).ok()) << bad;
  EXPECT_FALSE(CheckTenant(std::string("a\0b", 3)).ok());
  EXPECT_FALSE(CheckTenant(std::string(256, 'a')).ok());
}

TEST(Tenancy, ReadsTheClientCertificate) {
  net::HttpRequest request;
  request.headers.Set("THANOS-TENANT", "ignored");
  TenancyOptions options;
  options.certificate_field = "organizationalUnit";
  EXPECT_EQ(TenantOf(request, options).status().code(), Code::kDenied);
  request.peer = net::PeerCertificate{"cn", {"org"}, {"unit", "unit2"}};
  EXPECT_EQ(*TenantOf(request, options), "unit");
  options.certificate_field = "organization";
  EXPECT_EQ(*TenantOf(request, options), "org");
  options.certificate_field = "commonName";
  EXPECT_EQ(*TenantOf(request, options), "cn");
  request.peer->common_name = "../x";
  EXPECT_EQ(TenantOf(request, options).status().code(), Code::kInvalid);
}

TEST(Prober, AnswersAndExposesItsState) {
  telemetry::Registry registry;
  Prober prober("query", registry, telemetry::Logger::Discard());
  auto ask = [](const net::HttpHandler& handler) {
    net::FakeReply reply;
    handler(net::HttpRequest(), Cancel(), reply);
    return std::to_string(reply.status) + " " + reply.body;
  };
  EXPECT_EQ(ask(prober.ReadyHandler()), "503 NOT OK");
  prober.SetReady();
  prober.SetHealthy();
  EXPECT_EQ(ask(prober.ReadyHandler()), "200 OK");
  EXPECT_EQ(ask(prober.HealthyHandler()), "200 OK");
  EXPECT_THAT(registry.Expose(false), HasSubstr("thanos_status{check=\"ready\",component=\"query\"} 1\n"));
  prober.SetNotReady(Status(Code::kUnavailable, "going down"));
  EXPECT_EQ(ask(prober.ReadyHandler()), "503 NOT OK");
  EXPECT_THAT(registry.Expose(false), HasSubstr("thanos_status{check=\"ready\",component=\"query\"} 0\n"));
}

}  // namespace
}  // namespace gauntlet::server
