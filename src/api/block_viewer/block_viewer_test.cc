#include "api/block_viewer/block_viewer.h"

#include <gtest/gtest.h>

#include "blocks/testing/block_fixture.h"
#include "json/reader.h"
#include "net/http/testing/fake_reply.h"
#include "objstore/memory_bucket.h"

namespace gauntlet::api {
namespace {

class BlockViewerTest : public testing::Test {
 protected:
  void Make(BlockViewerOptions options = {}) {
    viewer_ = std::make_unique<BlockViewer>(std::move(options), bucket_, clock_);
    router_ = std::make_unique<net::HttpRouter>();
    viewer_->Register(*router_);
  }
  net::FakeReply Ask(const std::string& method, const std::string& path, const std::string& query = "",
                     const std::string& body = "") {
    net::HttpRequest request;
    request.method = method;
    request.path = request.target = path;
    request.query = query;
    request.body = body;
    if (!body.empty()) request.headers.Set("Content-Type", "application/x-www-form-urlencoded");
    net::FakeReply reply;
    router_->Serve(request, Cancel(), reply);
    return reply;
  }
  blocks::BlockView Found(int n) const {
    blocks::BlockView view;
    for (int i = 0; i < n; ++i) {
      auto meta = blocks::TestMeta(blocks::TestUlid(static_cast<uint8_t>(i)), i * 7'200'000, (i + 1) * 7'200'000,
                                   {{"cluster", "a \"quoted\" \\ one"}});
      view.metas[meta.block.ulid] = std::make_shared<const blocks::Meta>(meta);
    }
    return view;
  }

  objstore::MemoryBucket bucket_;
  SimulatedClock clock_{1'700'000'000'000};
  std::unique_ptr<BlockViewer> viewer_;
  std::unique_ptr<net::HttpRouter> router_;
};

TEST_F(BlockViewerTest, BeforeTheFirstLookThereIsNothing) {
  Make();
  EXPECT_EQ(Ask("GET", "/api/v1/blocks").body,
            R"({"status":"success","data":{"label":"","blocks":[],"refreshedAt":"0001-01-01T00:00:00Z","err":null,)"
            R"("partial":[]}})");
}

TEST_F(BlockViewerTest, LinksBeginWithTheFlagsPrefixOrElseTheHeaders) {
  auto base = [this](const std::string& header) {
    net::HttpRequest request;
    request.method = "GET";
    request.path = request.target = "/blocks";
    if (!header.empty()) request.headers.Set("X-Prefix", header);
    net::FakeReply reply;
    router_->Serve(request, Cancel(), reply);
    EXPECT_EQ(reply.body.find("@BASE@"), std::string::npos);
    size_t at = reply.body.find("<base ");
    return at == std::string::npos ? std::string() : reply.body.substr(at, reply.body.find('>', at) - at + 1);
  };
  Make();
  EXPECT_EQ(base("/given"), "");
  Make({.prefix_header = "X-Prefix"});
  EXPECT_EQ(base(""), "");
  EXPECT_EQ(base("/given/"), "<base href=\"/given/\">");
  EXPECT_EQ(base("https://elsewhere/a//b/../c?x"), "<base href=\"/a/c/\">");
  EXPECT_EQ(base("/\"><script>"), "<base href=\"/&#34;&#62;&#60;script&#62;/\">");
  Make({.external_prefix = "thanos", .prefix_header = "X-Prefix"});
  EXPECT_EQ(base("/given"), "<base href=\"/thanos/\">");
  EXPECT_EQ(CleanPrefix("/"), "");
}

TEST_F(BlockViewerTest, MetasAreAnsweredAsTheyAreInTheBucket) {
  Make({.label = "cluster"});
  viewer_->SetGlobal(Found(2));
  viewer_->SetLoaded(Found(1));
  auto reply = Ask("GET", "/api/v1/blocks", "view=global");
  EXPECT_EQ(reply.status, 200);
  auto document = json::Document::Parse(reply.body);
  ASSERT_TRUE(document.ok()) << reply.body;
  json::Value data = document->root().Get("data");
  EXPECT_EQ(data.Get("label").String(), "cluster");
  EXPECT_EQ(data.Get("refreshedAt").String(), "2023-11-14T22:13:20Z");
  EXPECT_TRUE(data.Get("err").is_null());
  ASSERT_EQ(data.Get("blocks").size(), 2u);
  json::Value block = data.Get("blocks")[1];
  EXPECT_EQ(block.Get("ulid").String(), blocks::TestUlid(1).ToString());
  EXPECT_EQ(block.Get("minTime").Int(), 7'200'000);
  EXPECT_EQ(block.Get("thanos").Get("labels").Get("cluster").String(), "a \"quoted\" \\ one");
  EXPECT_EQ(reply.body.find('\n'), std::string::npos);
  EXPECT_EQ(
      json::Document::Parse(Ask("GET", "/api/v1/blocks", "view=loaded").body)->root().Get("data").Get("blocks").size(),
      1u);
}

TEST_F(BlockViewerTest, AnErrorIsShownBesideWhatWasThereBefore) {
  Make();
  viewer_->SetGlobal(Found(2));
  clock_.Advance(std::chrono::seconds(60));
  viewer_->SetGlobal(Status(Code::kUnavailable, "list: no answer"));
  auto document = json::Document::Parse(Ask("GET", "/api/v1/blocks").body);
  json::Value data = document->root().Get("data");
  EXPECT_EQ(data.Get("blocks").size(), 2u);
  EXPECT_EQ(data.Get("err").String(), "list: no answer");
  EXPECT_EQ(data.Get("refreshedAt").String(), "2023-11-14T22:14:20Z");
  blocks::BlockView part = Found(1);
  part.incomplete = Status(Code::kUnavailable, "one block: no answer");
  viewer_->SetGlobal(part);
  document = json::Document::Parse(Ask("GET", "/api/v1/blocks").body);
  EXPECT_EQ(document->root().Get("data").Get("blocks").size(), 2u);
  EXPECT_EQ(document->root().Get("data").Get("err").String(), "one block: no answer");
}

TEST_F(BlockViewerTest, BlocksThatAreNotWholeAreNamed) {
  Make();
  blocks::BlockView view = Found(1);
  view.partial[blocks::TestUlid(9)] = Status(Code::kNotFound, "no meta.json");
  viewer_->SetGlobal(view);
  auto document = json::Document::Parse(Ask("GET", "/api/v1/blocks").body);
  json::Value partial = document->root().Get("data").Get("partial");
  ASSERT_EQ(partial.size(), 1u);
  EXPECT_EQ(partial[0].Get("ulid").String(), blocks::TestUlid(9).ToString());
  EXPECT_EQ(partial[0].Get("reason").String(), "no meta.json");
}

TEST_F(BlockViewerTest, MarksAreWritten) {
  Make();
  const std::string id = blocks::TestUlid(3).ToString();
  EXPECT_EQ(Ask("POST", "/api/v1/blocks/mark", "", "id=" + id + "&action=DELETION&detail=too+old").body,
            R"({"status":"success"})");
  EXPECT_EQ(Ask("POST", "/api/v1/blocks/mark", "id=" + id + "&action=NO_COMPACTION").status, 200);
  auto deletion = ReadMarker(bucket_, blocks::MarkerKind::kDeletion, blocks::TestUlid(3), Cancel());
  ASSERT_TRUE(deletion.ok());
  EXPECT_EQ(deletion->details, "too old");
  EXPECT_EQ(deletion->time_s, 1'700'000'000);
  auto no_compact = ReadMarker(bucket_, blocks::MarkerKind::kNoCompact, blocks::TestUlid(3), Cancel());
  ASSERT_TRUE(no_compact.ok());
  EXPECT_EQ(no_compact->reason, "manual");
}

TEST_F(BlockViewerTest, BadMarksAreRefused) {
  Make();
  const std::string id = blocks::TestUlid(3).ToString();
  for (const auto& [form, why] :
       std::map<std::string, std::string>{{"action=DELETION", "ID cannot be empty"},
                                          {"id=" + id, "Action cannot be empty"},
                                          {"id=01XX&action=DELETION", "ULID \\\"01XX\\\" is not valid"},
                                          {"id=" + id + "&action=EAT", "not supported marker EAT"}}) {
    auto reply = Ask("POST", "/api/v1/blocks/mark", form);
    EXPECT_EQ(reply.status, 400) << form;
    EXPECT_EQ(reply.body, R"({"status":"error","errorType":"bad_data","error":")" + why + "\"}");
  }
  Make({.admin = false});
  auto reply = Ask("POST", "/api/v1/blocks/mark", "id=" + id + "&action=DELETION");
  EXPECT_EQ(reply.status, 400);
  EXPECT_NE(reply.body.find("Admin operations are disabled"), std::string::npos);
  EXPECT_TRUE(bucket_.objects().empty());
}

TEST_F(BlockViewerTest, ThePageKnowsItsViewAndWhetherItMayMark) {
  Make({.admin = false, .default_view = "loaded"});
  for (const char* path : {"/", "/blocks", "/global", "/loaded"}) {
    auto reply = Ask("GET", path);
    EXPECT_EQ(reply.status, 200) << path;
    EXPECT_EQ(reply.head.Get("Content-Type"), "text/html; charset=utf-8");
    EXPECT_NE(reply.body.find("<body data-view=\"loaded\" data-admin=\"false\">"), std::string::npos) << reply.body;
    EXPECT_TRUE(reply.body.ends_with("</html>\n"));
  }
  EXPECT_NE(Ask("GET", "/blocks.js").body.find("'use strict';"), std::string::npos);
  EXPECT_TRUE(Ask("GET", "/blocks.css").body.starts_with(":root {"));
}

}  // namespace
}  // namespace gauntlet::api
