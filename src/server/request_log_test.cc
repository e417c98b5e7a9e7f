#include "server/request_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gauntlet::server {
namespace {

using telemetry::LogLevel;
using testing::HasSubstr;

constexpr char kConfig[] =
    "options: {level: DEBUG, decision: {log_start: true, log_end: true}}\n"
    "http:\n  config: [{path: /api/v1/query, port: 10904}]\n"
    "grpc:\n  options: {level: ERROR, decision: {log_end: true}}\n"
    "  config: [{service: thanos.Store, method: Series}]\n";

struct Lines {
  std::vector<std::string> lines;
  telemetry::Logger logger{
      {.level = LogLevel::kDebug, .sink = [this](std::string_view line) { lines.emplace_back(line); }}};
};

RequestLogConfig Parse(std::string_view yaml) {
  auto config = ParseRequestLogConfig(yaml);
  EXPECT_TRUE(config.ok()) << config.status().message();
  return config.ok() ? *config : RequestLogConfig();
}

net::HttpRequest Request(const std::string& path, const std::string& host) {
  net::HttpRequest request;
  request.method = "GET";
  request.path = path;
  request.target = path + "?query=up";
  request.headers.Set("Host", host);
  request.headers.Set("X-Request-ID", "id1");
  request.headers.Set("X-Forwarded-For", "10.0.0.1, 10.0.0.2");
  request.route = "query";
  return request;
}

TEST(RequestLog, LogsNothingWithoutConfiguration) {
  Lines out;
  RequestLog log(Parse(""), out.logger);
  EXPECT_FALSE(log.ForHttp(Request("/api/v1/query", "h:10904")).end);
  EXPECT_FALSE(log.ForGrpc("/thanos.Store/Series").end);
}

TEST(RequestLog, PicksExactPathsPortsAndMethods) {
  Lines out;
  RequestLog log(Parse(kConfig), out.logger);
  EXPECT_TRUE(log.ForHttp(Request("/api/v1/query", "h:10904")).start);
  EXPECT_TRUE(log.ForHttp(Request("/api/v1/query", "[::1]:10904")).end);
  EXPECT_FALSE(log.ForHttp(Request("/api/v1/query", "h:1")).end);
  EXPECT_FALSE(log.ForHttp(Request("/api/v1/query", "h")).end);
  EXPECT_FALSE(log.ForHttp(Request("/api/v1/query_range", "h:10904")).end);
  EXPECT_TRUE(log.ForGrpc("/thanos.Store/Series").end);
  EXPECT_FALSE(log.ForGrpc("/thanos.Store/Series").start);
  EXPECT_FALSE(log.ForGrpc("/thanos.Store/LabelNames").end);
}

TEST(RequestLog, ProtocolOptionsOverrideGlobalOnes) {
  Lines out;
  RequestLog log(Parse("options: {level: DEBUG, decision: {log_end: true}}\nhttp: {options: {level: INFO}}\n"),
                 out.logger);
  EXPECT_FALSE(log.ForHttp(Request("/", "h:1")).end);
  EXPECT_TRUE(log.ForGrpc("/a/b").end);
}

TEST(RequestLog, WritesUpstreamsFields) {
  Lines out;
  RequestLog log(Parse(kConfig), out.logger);
  auto request = Request("/api/v1/query", "h:10904");
  log.HttpStarted(request);
  log.HttpEnded(request, 200, std::chrono::microseconds(1500));
  log.HttpEnded(request, 503, std::chrono::milliseconds(2));
  ASSERT_EQ(out.lines.size(), 3u);
  EXPECT_THAT(out.lines[0], HasSubstr("level=debug msg=\"started call\" http.request_id=id1 "
                                      "http.method=\"GET /api/v1/query?query=up\" http.user_agent= "
                                      "http.remote_addr=10.0.0.1 thanos.method_name=query protocol=http"));
  EXPECT_THAT(out.lines[1], HasSubstr("level=debug msg=\"finished call\""));
  EXPECT_THAT(out.lines[1], HasSubstr("http.status_code=200 http.time_ms=1.5"));
  EXPECT_THAT(out.lines[2], HasSubstr("level=error msg=\"finished call\""));
}

TEST(RequestLog, LevelDropsWhatIsBelowIt) {
  Lines out;
  RequestLog log(Parse("options: {level: ERROR, decision: {log_start: true, log_end: true}}\n"), out.logger);
  auto request = Request("/", "h:1");
  log.HttpStarted(request);
  log.HttpEnded(request, 200, {});
  EXPECT_TRUE(out.lines.empty());
  log.HttpEnded(request, 500, {});
  EXPECT_EQ(out.lines.size(), 1u);
}

class FakeCall final : public net::GrpcServerCall {
 public:
  const std::string& method() const override { return method_; }
  const net::GrpcMetadata& metadata() const override { return metadata_; }
  const std::string& peer_address() const override { return peer_; }
  const Cancel& cancel() const override { return cancel_; }
  Result<bool> Read(std::string*) override { return false; }
  Status Write(std::string_view) override { return Status(); }

 private:
  std::string method_ = "/thanos.Store/Series", peer_ = "127.0.0.1:1";
  net::GrpcMetadata metadata_ = {{"request-id", "id2"}};
  Cancel cancel_;
};

TEST(RequestLog, InterceptsGrpcCalls) {
  Lines out;
  auto interceptor = RequestLog(Parse(kConfig), out.logger).GrpcInterceptor();
  FakeCall call;
  auto answer = [&](net::GrpcCode code) {
    return interceptor(call, [code](net::GrpcServerCall&) { return net::GrpcStatus(code, "why"); });
  };
  EXPECT_TRUE(answer(net::GrpcCode::kOk).ok());
  EXPECT_TRUE(out.lines.empty());
  EXPECT_EQ(answer(net::GrpcCode::kInternal).code, net::GrpcCode::kInternal);
  ASSERT_EQ(out.lines.size(), 1u);
  EXPECT_THAT(out.lines[0], HasSubstr("grpc.service=thanos.Store grpc.method=Series grpc.request_id=id2 "
                                      "grpc.code=Internal grpc.error=why"));
}

TEST(ParseRequestLogConfig, SaysWhatIsWrong) {
  auto error = [](std::string_view yaml) { return std::string(ParseRequestLogConfig(yaml).status().message()); };
  EXPECT_THAT(error("options: {level: LOUD}\n"), HasSubstr("level \"LOUD\" is none of"));
  EXPECT_THAT(error("options: {decision: {log_end: true}}\n"), HasSubstr("field level is required"));
  EXPECT_THAT(error("options: {level: INFO, decision: {log_start: true}}\n"),
              HasSubstr("log start call is not supported"));
  EXPECT_THAT(error("grpc: {config: [{service: x}]}\n"), HasSubstr("field method is required"));
  EXPECT_THAT(error("htp: {}\n"), HasSubstr("field htp not found in type logging.RequestConfig"));
}

}  // namespace
}  // namespace gauntlet::server
