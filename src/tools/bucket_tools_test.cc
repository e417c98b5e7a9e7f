#include <gtest/gtest.h>

#include "blocks/block_objects.h"
#include "blocks/markers.h"
#include "blocks/testing/block_fixture.h"
#include "io/fake_file_system.h"
#include "objstore/memory_bucket.h"
#include "tools/bucket_list.h"
#include "tools/bucket_verify.h"

namespace gauntlet::tools {
namespace {

using blocks::TestMeta;
using blocks::TestUlid;

constexpr int64_t kHourMs = 3'600'000;
constexpr int64_t kStart = 1'767'571'200'000;  // 2026-01-05T00:00:00Z

blocks::MetaMap TwoBlocks() {
  blocks::Meta one = TestMeta(TestUlid(1), kStart, kStart + 2 * kHourMs, {{"cluster", "eu"}, {"replica", "a,b"}});
  blocks::Meta two = TestMeta(TestUlid(2), kStart - 48 * kHourMs, kStart, {{"cluster", "us"}});
  two.block.stats.samples = 1'234'567;
  two.block.compaction.level = 4;
  two.thanos.resolution_ms = 300'000;
  two.thanos.source = "compactor";
  return {{TestUlid(1), std::make_shared<blocks::Meta>(one)}, {TestUlid(2), std::make_shared<blocks::Meta>(two)}};
}

TEST(BucketLs, PrintsIdsLinesJsonAndTemplates) {
  blocks::MetaMap metas = TwoBlocks();
  std::string a = TestUlid(1).ToString(), b = TestUlid(2).ToString();
  EXPECT_EQ(*FormatBlocks(metas, ""), a + "\n" + b + "\n");
  EXPECT_EQ(*FormatBlocks(metas, "wide"), a +
                                              " -- 2026-01-05T00:00:00Z - 2026-01-05T02:00:00Z Diff: 2h0m0s, "
                                              "Compaction: 1, Downsample: 0, Source: sidecar\n" +
                                              b +
                                              " -- 2026-01-03T00:00:00Z - 2026-01-05T00:00:00Z Diff: 48h0m0s, "
                                              "Compaction: 4, Downsample: 300000, Source: compactor\n");
  EXPECT_EQ(*FormatBlocks(metas, "json"),
            blocks::FormatMeta(*metas.at(TestUlid(1))) + blocks::FormatMeta(*metas.at(TestUlid(2))));
  EXPECT_EQ(*FormatBlocks(metas, "{{.ULID}}: {{ .Thanos.Labels.cluster }} {{.Thanos.Labels}} {{.Compaction.Level}}"),
            a + ": eu map[cluster:eu replica:a,b] 1\n" + b + ": us map[cluster:us] 4\n");
  EXPECT_EQ(FormatBlocks(metas, "{{.Nothing}}").status().code(), Code::kInvalid);
  EXPECT_EQ(FormatBlocks(metas, "{{.ULID").status().code(), Code::kInvalid);
}

TEST(BucketInspect, PrintsATableThatSortsByValue) {
  InspectOptions options;
  options.sort_by = {"#SAMPLES"};
  std::string text = *InspectBlocks(TwoBlocks(), options);
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    size_t end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_TRUE(lines[0].starts_with("|            ULID            |         FROM         |")) << lines[0];
  EXPECT_TRUE(lines[1].starts_with("|----------------------------|----------------------|"));
  EXPECT_TRUE(lines[2].starts_with("| " + TestUlid(1).ToString() +
                                   " | 2026-01-05T00:00:00Z | 2026-01-05T02:00:00Z | 2h0m0s  | 38h0m0s    |"))
      << lines[2];
  EXPECT_NE(lines[3].find("| 1,234,567 |"), std::string::npos);
  EXPECT_NE(lines[3].find("| 192h0m0s   |"), std::string::npos);
  options.output = "csv";
  options.selector = {{"cluster", "eu"}};
  std::string csv = *InspectBlocks(TwoBlocks(), options);
  EXPECT_EQ(csv.substr(csv.find('\n') + 1), TestUlid(1).ToString() +
                                                ",2026-01-05T00:00:00Z,2026-01-05T02:00:00Z,2h0m0s,38h0m0s,1,10,1,1,"
                                                "false,\"cluster=eu,replica=a,b\",0s,sidecar\n");
  options.sort_by = {"NO"};
  EXPECT_EQ(InspectBlocks(TwoBlocks(), options).status().message(), "column NO not found");
}

TEST(LabelFlags, ValuesAreQuoted) {
  EXPECT_EQ(*ParseLabelFlags({"a=\"x\"", "b=\"y=\\\"z\\\"\""}),
            (std::map<std::string, std::string>{{"a", "x"}, {"b", "y=\"z\""}}));
  for (const char* bad : {"a", "a=x", "=\"x\""}) EXPECT_FALSE(ParseLabelFlags({bad}).ok()) << bad;
}

class VerifyTest : public testing::Test {
 protected:
  VerifyTest() { EXPECT_TRUE(files_.MakeDirectories("/local").ok()); }
  // A block of one series with these chunks, as [mint, maxt] in minutes from its start.
  void Put(const Ulid& id, std::vector<std::pair<int64_t, int64_t>> minutes) {
    blocks::Meta meta = TestMeta(id, kStart, kStart + 2 * kHourMs);
    auto writer = *tsdb::BlockWriter::Create(files_, "/local", meta.block);
    for (const char* symbol : {"job", "x", "y"}) ASSERT_TRUE(writer->AddSymbol(symbol).ok());
    for (const char* job : {"x", "y"}) {
      std::vector<std::string> bytes;
      for (auto [from, to] : minutes) {
        tsdb::XorAppender appender;
        for (int64_t m = from; m <= to; ++m) appender.Append(kStart + m * 60'000, static_cast<double>(m));
        bytes.push_back(appender.Release());
      }
      std::vector<tsdb::BlockChunk> chunks;
      for (size_t i = 0; i < minutes.size(); ++i) {
        chunks.push_back({kStart + minutes[i].first * 60'000,
                          kStart + minutes[i].second * 60'000,
                          {tsdb::Encoding::kXor, bytes[i]}});
      }
      Status status = writer->AddSeries(Labels::From({{"job", job}}), chunks);
      ASSERT_TRUE(status.ok()) << status.message();
    }
    ASSERT_TRUE(writer->Finish({}).ok());
    meta.block = writer->meta();
    std::string dir = "/local/" + id.ToString();
    ASSERT_TRUE(files_.WriteAtomically(dir + "/meta.json", blocks::FormatMeta(meta)).ok());
    ASSERT_TRUE(blocks::UploadBlock(bucket_, files_, pool_, SystemClock(), dir, {}, Cancel()).ok());
    metas_[id] = std::make_shared<blocks::Meta>(*blocks::DownloadMeta(bucket_, id, Cancel()));
  }
  Result<std::vector<Finding>> Verify(VerifyOptions options) {
    VerifyContext context{bucket_, &backup_, files_, pool_, SystemClock(), telemetry::Logger::Discard(), "/scratch"};
    return VerifyBucket(context, metas_, options, Cancel());
  }

  io::FakeFileSystem files_;
  objstore::MemoryBucket bucket_, backup_;
  InlineExecutor pool_;
  blocks::MetaMap metas_;
};

TEST_F(VerifyTest, AGoodBucketHasNoFindings) {
  Put(TestUlid(1), {{0, 50}, {51, 119}});
  EXPECT_TRUE(Verify({.issues = {"index_known_issues", "duplicated_compaction", "overlapped_blocks"}})->empty());
  EXPECT_TRUE(files_.List("/scratch").ok() ? files_.List("/scratch")->empty() : true);
}

TEST_F(VerifyTest, ChunksOutsideAreFoundAndRepaired) {
  Put(TestUlid(1), {{0, 50}, {51, 119}});
  Put(TestUlid(2), {{0, 50}, {51, 119}, {130, 140}});
  auto found = Verify({.issues = {"index_known_issues"}});
  ASSERT_TRUE(found.ok()) << found.status().message();
  ASSERT_EQ(found->size(), 1u);
  EXPECT_EQ(found->front().blocks, std::vector<Ulid>{TestUlid(2)});
  EXPECT_EQ(found->front().text, "found 2 chunks completely outside the block time range");
  EXPECT_FALSE(found->front().repaired);
  found = Verify({.issues = {"index_known_issues"}, .repair = true});
  ASSERT_TRUE(found.ok()) << found.status().message();
  ASSERT_TRUE(found->front().repaired) << found->front().text;
  EXPECT_FALSE(bucket_.objects().contains(TestUlid(2).ToString() + "/meta.json"));
  EXPECT_TRUE(backup_.objects().contains(TestUlid(2).ToString() + "/meta.json"));
  std::string text = found->front().text;
  Ulid better = *Ulid::Parse(text.substr(text.size() - 26));
  blocks::Meta meta = *blocks::DownloadMeta(bucket_, better, Cancel());
  EXPECT_EQ(meta.thanos.source, "bucket.repair");
  EXPECT_EQ(meta.thanos.labels, metas_.at(TestUlid(2))->thanos.labels);
  EXPECT_EQ(meta.block.stats.samples, 240u);
  EXPECT_EQ(meta.block.stats.chunks, 4u);
  metas_ = {{better, std::make_shared<blocks::Meta>(meta)}};
  EXPECT_TRUE(Verify({.issues = {"index_known_issues"}})->empty());
}

TEST_F(VerifyTest, ABrokenIndexIsAFindingAndStaysWhenItCannotBeRepaired) {
  Put(TestUlid(1), {{0, 119}});
  std::string name = TestUlid(1).ToString() + "/index";
  std::string index = bucket_.objects().at(name);
  ASSERT_TRUE(objstore::WriteObject(bucket_, name, index.substr(0, index.size() / 2), Cancel()).ok());
  auto found = Verify({.issues = {"index_known_issues"}, .repair = true});
  ASSERT_TRUE(found.ok()) << found.status().message();
  ASSERT_EQ(found->size(), 1u);
  EXPECT_FALSE(found->front().repaired);
  EXPECT_TRUE(bucket_.objects().contains(name));
  EXPECT_TRUE(backup_.objects().empty());
}

TEST_F(VerifyTest, DuplicatesGoAfterABackup) {
  Put(TestUlid(1), {{0, 119}});
  Put(TestUlid(2), {{0, 119}});
  blocks::Meta same = *metas_.at(TestUlid(2));
  same.block.compaction.sources = metas_.at(TestUlid(1))->block.compaction.sources;
  metas_[TestUlid(2)] = std::make_shared<blocks::Meta>(same);
  auto found = Verify({.issues = {"overlapped_blocks", "duplicated_compaction"}});
  ASSERT_EQ(found->size(), 2u);
  EXPECT_EQ((*found)[0].blocks, (std::vector<Ulid>{TestUlid(1), TestUlid(2)}));
  EXPECT_EQ((*found)[1].blocks, std::vector<Ulid>{TestUlid(2)});
  found = Verify({.issues = {"duplicated_compaction"}, .repair = true, .delete_delay = std::chrono::hours(1)});
  ASSERT_TRUE(found.ok()) << found.status().message();
  EXPECT_TRUE(backup_.objects().contains(TestUlid(2).ToString() + "/chunks/000001"));
  EXPECT_EQ(blocks::ReadMarker(bucket_, blocks::MarkerKind::kDeletion, TestUlid(2), Cancel())->details,
            "manual verify-repair");
  // Not twice into the same backup.
  EXPECT_EQ(Verify({.issues = {"duplicated_compaction"}, .repair = true}).status().code(), Code::kExists);
}

}  // namespace
}  // namespace gauntlet::tools
