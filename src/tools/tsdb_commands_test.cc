// What promtool prints for the same blocks (recorded), where the order of equals is not random there.

#include <gtest/gtest.h>

#include <algorithm>

#include "tools/tsdb_analyze.h"
#include "tools/tsdb_dump.h"
#include "tools/tsdb_list.h"
#include "tsdb/chunkenc/testing/golden_chunks.h"
#include "tsdb/db/block_queryable.h"

namespace gauntlet::tools {
namespace {

tsdb::BlockPtr OpenGolden(const std::string& name) {
  auto block = tsdb::Block::Open(io::RealFileSystem(), tsdb::GoldenFolder() + "/blocks/" + name);
  EXPECT_TRUE(block.ok()) << block.status().message();
  return block.ok() ? *block : nullptr;
}

class BlockSource : public storage::Queryable {
 public:
  explicit BlockSource(tsdb::BlockList blocks) : blocks_(std::make_shared<tsdb::BlockList>(std::move(blocks))) {}
  Result<std::unique_ptr<storage::Querier>> MakeQuerier(int64_t mint_ms, int64_t maxt_ms) override {
    return tsdb::MakeBlockQuerier(blocks_, mint_ms, maxt_ms);
  }

 private:
  std::shared_ptr<const tsdb::BlockList> blocks_;
};

class TsdbTools : public ::testing::Test {
 protected:
  void SetUp() override {
    if (tsdb::GoldenFolder().empty()) GTEST_SKIP() << "no shared golden data";
  }
  static std::string Dump(const DumpOptions& options) {
    BlockSource source({OpenGolden("float-2h"), OpenGolden("hist-2h")});
    std::string out;
    Status st = DumpSamples(source, options, Cancel(), [&out](std::string_view text) { out += text; });
    EXPECT_TRUE(st.ok()) << st.message();
    return out;
  }
};

TEST_F(TsdbTools, ListIsPromtools) {
  tsdb::BlockList blocks = {OpenGolden("float-2h"), OpenGolden("tombstones")};
  EXPECT_EQ(
      BlockTable(blocks, false),
      "BLOCK ULID                  MIN TIME       MAX TIME       DURATION     NUM SAMPLES  NUM CHUNKS   NUM SERIES "
      "  SIZE\n"
      "01KE71A6NAEME8ZS7DDWKWEQAP  1767571200000  1767578400000  2h0m0s       97453        1810         1240       "
      "  532936\n"
      "01KE73MXYGPRY96E12YRBN1S6H  1767571200000  1767578400000  2h0m0s       12240        132          46         "
      "  71570\n");
  EXPECT_NE(BlockTable(blocks, true).find("2026-01-05 00:00:00 +0000 UTC  2026-01-05 02:00:00 +0000 UTC  2h0m0s"),
            std::string::npos);
  EXPECT_NE(BlockTable(blocks, true).find("520KiB456B\n"), std::string::npos);
}

TEST_F(TsdbTools, AnalyzeIsPromtools) {
  auto report = AnalyzeBlock(*OpenGolden("tombstones"), {3, true, ""}, Cancel());
  ASSERT_TRUE(report.ok()) << report.status().message();
  EXPECT_EQ(report->substr(0, report->find("Compaction")),
            "Block ID: 01KE73MXYGPRY96E12YRBN1S6H\nDuration: 2h0m0s\nTotal Series: 46\nLabel names: 4\n"
            "Postings (unique label pairs): 52\nPostings entries (total label pairs): 138\n\n"
            "Label pairs most involved in churning:\n0 __name__=aa_total\n0 __name__=bb\n0 __name__=cc_total\n\n"
            "Label names most involved in churning:\n0 __name__\n0 grp\n0 kind\n\n"
            "Most common label pairs:\n14 grp=g0\n13 grp=g1\n13 grp=g2\n\n"
            "Label names with highest cumulative label value length:\n70 n\n24 __name__\n17 kind\n\n"
            "Highest cardinality labels:\n40 n\n5 __name__\n4 kind\n\n"
            "Highest cardinality metric names:\n10 aa_total\n10 bb\n10 cc_total\n\n");
  EXPECT_NE(report->find("samples per float chunk (min/avg/max): "), std::string::npos);
}

TEST_F(TsdbTools, AnalyzeOfASelection) {
  auto report = AnalyzeBlock(*OpenGolden("tombstones"), {2, false, R"({__name__="bb"})"}, Cancel());
  ASSERT_TRUE(report.ok());
  EXPECT_NE(report->find("Matcher: {__name__=\"bb\"}\nLabel names: 3\nMatched series: 10\n"), std::string::npos);
  EXPECT_TRUE(report->ends_with("Highest cardinality metric names:\n10 bb\n")) << *report;
  EXPECT_FALSE(AnalyzeBlock(*OpenGolden("tombstones"), {2, false, "{"}, Cancel()).ok());
}

TEST_F(TsdbTools, DumpPrintsEverySampleOfASelection) {
  DumpOptions options;
  options.match = {R"({__name__="constant",v="-0"})"};
  options.maxt_ms = 1767571200000 + 20000;
  EXPECT_EQ(Dump(options),
            "{__name__=\"constant\", v=\"-0\"} -0 1767571200000\n{__name__=\"constant\", v=\"-0\"} -0 1767571215000\n");
  options.format = DumpFormat::kOpenMetrics;
  EXPECT_EQ(Dump(options), "constant{v=\"-0\"} -0 1767571200.000\nconstant{v=\"-0\"} -0 1767571215.000\n# EOF\n");
  options.format = DumpFormat::kSeriesJson;
  EXPECT_EQ(Dump(options), "{\"__name__\":\"constant\",\"v\":\"-0\"}\n");
}

TEST_F(TsdbTools, DumpOfAllHasOneLineASample) {
  std::string all = Dump({});
  EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 97453 + 12391);
  DumpOptions twice;
  twice.match = {"{__name__=~'.*'}", "{job=~'.+'}"};
  EXPECT_TRUE(Dump(twice) == all);  // a series that two selectors select is printed once
}

TEST(Base2Bytes, LikePromtool) {
  EXPECT_EQ(Base2Bytes(0), "0B");
  EXPECT_EQ(Base2Bytes(1024), "1KiB");
  EXPECT_EQ(Base2Bytes(532936), "520KiB456B");
  EXPECT_EQ(Base2Bytes((uint64_t{3} << 40) + 5), "3TiB5B");
}

}  // namespace
}  // namespace gauntlet::tools
