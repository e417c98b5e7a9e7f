#include "api/envelope.h"

#include <gtest/gtest.h>

#include "api/memory_reply.h"
#include "api/parameters.h"

namespace gauntlet::api {
namespace {

TEST(Envelope, ErrorsCarryTypeAndStatusAndAreNotCached) {
  MemoryReply reply;
  ReplyError(reply, ErrorType::kExecution, "many-to-many <b>");
  EXPECT_EQ(reply.status(), 422);
  EXPECT_EQ(reply.body(), R"({"status":"error","errorType":"execution","error":"many-to-many \u003cb\u003e"})");
  EXPECT_EQ(reply.headers().Get("Cache-Control"), "no-store");
}

TEST(Envelope, PromQlNotesAreCutAtTenAndPartialResponsesNot) {
  Annotations annotations;
  for (int i = 10; i < 25; ++i) annotations.Warn("PromQL warning: number " + std::to_string(i));
  for (int i = 10; i < 25; ++i) annotations.Warn("endpoint " + std::to_string(i) + " is gone");
  annotations.Info("PromQL info: x");
  MemoryReply reply;
  ReplyData(reply, annotations, [](JsonReply& json) { json.writer().Int(7); });
  EXPECT_EQ(reply.body().find(R"({"status":"success","data":7,"warnings":[)"), 0u);
  EXPECT_NE(reply.body().find("number 19"), std::string::npos);
  EXPECT_EQ(reply.body().find("number 20"), std::string::npos);
  EXPECT_NE(reply.body().find("5 more warning annotations omitted"), std::string::npos);
  EXPECT_NE(reply.body().find("endpoint 24 is gone"), std::string::npos);
  EXPECT_NE(reply.body().find(R"("infos":["PromQL info: x"])"), std::string::npos);
  EXPECT_EQ(reply.headers().Get("Cache-Control"), "no-store");
}

TEST(Parameters, MistakesNameTheParameter) {
  net::HttpRequest request;
  request.method = "GET";
  request.query = "time=yesterday&limit=-1&match[]=up{&dedup=maybe";
  EXPECT_EQ(
      [&] {
        Parameters p(request);
        p.Time("time", 0);
        return std::string(p.error().message());
      }(),
      "invalid parameter \"time\": cannot parse \"yesterday\" to a valid timestamp");
  EXPECT_NE(
      [&] {
        Parameters p(request);
        p.Count("limit", 0);
        return std::string(p.error().message());
      }()
          .find("limit must be non-negative"),
      std::string::npos);
  EXPECT_EQ(
      [&] {
        Parameters p(request);
        p.Selectors("match[]");
        return std::string(p.error().message());
      }()
          .find("invalid parameter \"match[]\": 1:"),
      0u);
  EXPECT_NE(
      [&] {
        Parameters p(request);
        p.Bool("dedup", true);
        return std::string(p.error().message());
      }()
          .find("invalid syntax"),
      std::string::npos);
}

TEST(Parameters, UrlAndBodyAreMerged) {
  net::HttpRequest request;
  request.method = "POST";
  request.query = "dedup=false";
  request.body = "query=up&time=4";
  request.headers.Set("Content-Type", "application/x-www-form-urlencoded");
  Parameters parameters(request);
  EXPECT_EQ(parameters.Text("query"), "up");
  EXPECT_FALSE(parameters.Bool("dedup", true));
  EXPECT_EQ(parameters.Time("time", 0), 4000);
  EXPECT_TRUE(parameters.ok());
}

}  // namespace
}  // namespace gauntlet::api
