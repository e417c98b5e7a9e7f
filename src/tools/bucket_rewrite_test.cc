#include "tools/bucket_rewrite.h"

#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "blocks/testing/block_fixture.h"
#include "io/fake_file_system.h"
#include "json/reader.h"
#include "tsdb/block/block.h"
#include "tsdb/block/block_writer.h"
#include "tsdb/chunkenc/xor.h"

namespace gauntlet::tools {
namespace {

using blocks::TestUlid;

// A block of four series, each with the samples 0, 1, .. at the seconds 0, 10, .. 110 in two chunks.
class BucketRewrite : public ::testing::Test {
 protected:
  BucketRewrite() {
    from_ = blocks::TestMeta(TestUlid(1), 0, 7'200'000, {{"cluster", "eu"}});
    EXPECT_TRUE(files_.MakeDirectories("data").ok());
    auto writer = tsdb::BlockWriter::Create(files_, "data", from_.block);
    for (const char* symbol : {"__name__", "a", "b", "job", "up", "x", "y", "zone"}) {
      EXPECT_TRUE((*writer)->AddSymbol(symbol).ok());
    }
    for (const Labels& labels : {Labels::From({{"__name__", "up"}, {"job", "x"}, {"zone", "a"}}),
                                 Labels::From({{"__name__", "up"}, {"job", "x"}, {"zone", "b"}}),
                                 Labels::From({{"__name__", "up"}, {"job", "y"}}),
                                 Labels::From({{"__name__", "up"}, {"job", "y"}, {"zone", "a"}})}) {
      std::string bytes[2];
      std::vector<tsdb::BlockChunk> chunks;
      for (int c = 0; c < 2; ++c) {
        tsdb::XorAppender appender;
        for (int i = 6 * c; i < 6 * c + 6; ++i) appender.Append(i * 10'000, i);
        bytes[c] = appender.Release();
        chunks.push_back({c * 60'000, c * 60'000 + 50'000, {tsdb::Encoding::kXor, bytes[c]}});
      }
      EXPECT_TRUE((*writer)->AddSeries(labels, chunks).ok());
    }
    EXPECT_TRUE((*writer)->Finish().ok());
  }

  // "{labels}: times in seconds" of each series of the new block; its meta goes to made_.
  std::vector<std::string> Rewrite(const RewriteRequest& request) {
    RewriteOptions options;
    options.dry_run = false;
    options.on_change = [&](const std::string& line) { log_.push_back(line); };
    auto made = RewriteBlock(files_, "data", from_, TestUlid(2), request, options, Cancel());
    EXPECT_TRUE(made.ok()) << made.status().message();
    if (!made.ok() || !made->has_value()) return {};
    made_ = **made;
    auto block = tsdb::Block::Open(files_, "data/" + TestUlid(2).ToString());
    EXPECT_TRUE(block.ok());
    EXPECT_TRUE(tsdb::VerifyBlock(**block, Cancel()).ok());
    tsdb::BlockSeries series(**block, *(*block)->Select({}, Cancel()), INT64_MIN, INT64_MAX);
    std::vector<std::string> all;
    while (*series.Next()) {
      Samples samples;
      EXPECT_TRUE(tsdb::ReadSamples(**block, series.chunks(), series.deleted(), INT64_MIN, INT64_MAX, &samples).ok());
      std::string text = series.labels().ToString() + ":";
      for (int64_t t : samples.times_ms) text += " " + std::to_string(t / 1000);
      all.push_back(text);
    }
    return all;
  }

  io::FakeFileSystem files_;
  blocks::Meta from_, made_;
  std::vector<std::string> log_;
};

constexpr char kAll[] = " 0 10 20 30 40 50 60 70 80 90 100 110";

TEST_F(BucketRewrite, DeletionsTakeSeriesAndSpans) {
  RewriteRequest request;
  auto deletions = ParseDeletions(R"(
- matchers: '{job="x", zone=~"a|b"}'
  intervals:
  - {mint: 0, maxt: 20000}
  - {mint: 60000, maxt: 110000}
  request_id: r1
- matchers: 'up{zone!="b", job="y"}'
)");
  ASSERT_TRUE(deletions.ok()) << deletions.status().message();
  request.deletions = *deletions;
  auto all = Rewrite(request);
  // A matcher never matches a series without its label.
  EXPECT_EQ(all, (std::vector<std::string>{R"({__name__="up", job="x", zone="a"}: 30 40 50)",
                                           R"({__name__="up", job="x", zone="b"}: 30 40 50)",
                                           R"({__name__="up", job="y"}:)" + std::string(kAll)}));
  EXPECT_EQ(log_, (std::vector<std::string>{R"(Deleted {__name__="up", job="x", zone="a"} [{0 20000} {60000 110000}])",
                                            R"(Deleted {__name__="up", job="x", zone="b"} [{0 20000} {60000 110000}])",
                                            R"(Deleted {__name__="up", job="y", zone="a"} [{0 110000}])"}));
  EXPECT_EQ(made_.block.stats.samples, 18u);
  EXPECT_EQ(made_.block.compaction.sources, std::vector<Ulid>{TestUlid(2)});
  EXPECT_EQ(made_.thanos.source, "bucket.rewrite");
  EXPECT_EQ(made_.thanos.labels, from_.thanos.labels);
  auto rewrites = json::Document::Parse(made_.thanos.rewrites);
  ASSERT_TRUE(rewrites.ok()) << made_.thanos.rewrites;
  json::Value deletion = rewrites->root()[0].Get("deletions_applied")[0];
  EXPECT_EQ(deletion.Get("request_id").String(), "r1");
  EXPECT_EQ(deletion.Get("matchers")[1].Get("Type").Int(), 2);
  EXPECT_EQ(deletion.Get("intervals")[1].Get("Maxt").Int(), 110'000);
  EXPECT_EQ(rewrites->root()[0].Get("sources")[0].String(), from_.block.compaction.sources[0].ToString());
}

TEST_F(BucketRewrite, RelabellingDropsRenamesAndJoins) {
  RewriteRequest request;
  RelabelConfig drop;
  drop.source_labels = {"zone"};
  drop.regex = "b";
  drop.action = RelabelAction::kDrop;
  RelabelConfig strip;
  strip.regex = "zone";
  strip.action = RelabelAction::kLabelDrop;
  RelabelConfig rename;
  rename.source_labels = {"job"};
  rename.regex = "x";
  rename.target_label = "job";
  rename.replacement = "z";
  request.relabels = {drop, strip, rename};
  auto all = Rewrite(request);
  EXPECT_EQ(all, (std::vector<std::string>{R"({__name__="up", job="y"}:)" + std::string(kAll),
                                           R"({__name__="up", job="z"}:)" + std::string(kAll)}));
  EXPECT_EQ(log_,
            (std::vector<std::string>{R"(Relabelled {__name__="up", job="x", zone="a"} {__name__="up", job="z"})",
                                      R"(Deleted {__name__="up", job="x", zone="b"} [{0 110000}])",
                                      R"(Relabelled {__name__="up", job="y", zone="a"} {__name__="up", job="y"})"}));
  // A second rewrite stands behind the first.
  from_ = made_;
  auto again = RewriteBlock(files_, "data", from_, TestUlid(3), request, {.dry_run = false}, Cancel());
  ASSERT_TRUE(again.ok() && again->has_value());
  auto rewrites = json::Document::Parse((*again)->thanos.rewrites);
  ASSERT_TRUE(rewrites.ok()) << (*again)->thanos.rewrites;
  ASSERT_EQ(rewrites->root().size(), 2u);
  EXPECT_EQ(rewrites->root()[1].Get("sources")[0].String(), TestUlid(2).ToString());
  EXPECT_EQ(rewrites->root()[1].Get("relabels_applied")[2].Get("targetLabel").String(), "job");
  auto read_back = blocks::ParseMeta(*files_.ReadFile("data/" + TestUlid(3).ToString() + "/meta.json"));
  ASSERT_TRUE(read_back.ok());
  EXPECT_TRUE(json::Document::Parse(read_back->thanos.rewrites).ok());
}

TEST_F(BucketRewrite, ADryRunOnlyTells) {
  RewriteRequest request;
  request.deletions = *ParseDeletions("- matchers: '{job=\"x\"}'");
  RewriteOptions options;
  options.on_change = [&](const std::string& line) { log_.push_back(line); };
  auto made = RewriteBlock(files_, "data", from_, TestUlid(2), request, options, Cancel());
  ASSERT_TRUE(made.ok());
  EXPECT_FALSE(made->has_value());
  EXPECT_EQ(log_.size(), 2u);
  EXPECT_EQ(files_.List("data")->size(), 1u);
}

TEST_F(BucketRewrite, NothingIsMadeWhenNothingIsLeft) {
  RewriteRequest request;
  request.deletions = *ParseDeletions("- matchers: up");
  EXPECT_TRUE(Rewrite(request).empty());
  EXPECT_EQ(files_.List("data")->size(), 1u);
}

TEST(ParseDeletions, SaysWhatIsWrong) {
  EXPECT_EQ(ParseDeletions("- matchers: '{a='").status().code(), Code::kInvalid);
  EXPECT_EQ(ParseDeletions("- matcher: up").status().code(), Code::kInvalid);
  EXPECT_TRUE(ParseDeletions("").ok());
}

}  // namespace
}  // namespace gauntlet::tools
