// The scenario of Thanos' end-to-end test CompactWithStoreGateway, with its counts.
#include <gtest/gtest.h>

#include "compactor/testing/bucket_fixture.h"

namespace gauntlet::compactor {
namespace {

class ScenarioTest : public testing::Test {
 protected:
  void SetUp() override {
    auto span = [](int from_hours, int to_hours) {
      return std::pair(kTestStart + from_hours * kHour, kTestStart + to_hours * kHour);
    };
    auto put = [&](const LabelMap& external, std::pair<int64_t, int64_t> times, const std::vector<std::string>& bs) {
      BlockSpec spec;
      spec.external = external;
      spec.mint = times.first;
      spec.maxt = times.second;
      for (const std::string& b : bs) spec.series.push_back({{"a", "1"}, {"b", b}});
      ++raw_blocks_;
      return f_.Put(spec);
    };
    auto one = [](const std::string& name, const std::string& replica = "1") {
      return LabelMap{{"case", name}, {"replica", replica}};
    };
    for (int i = 0; i < 3; ++i) put(one("no-compaction"), span(2 * i, 2 * i + 2), {"2"});
    for (int i = 0; i < 5; ++i) put(one("compaction-ready"), span(2 * i, 2 * i + 2), {std::to_string(2 + i)});
    for (int i = 0; i < 5; ++i) {
      const Ulid id = put(one("one-block-marked"), span(2 * i, 2 * i + 2), {std::to_string(2 + i)});
      if (i != 2) continue;
      ASSERT_TRUE(blocks::SetMarker(f_.bucket(), blocks::MarkerKind::kNoCompact,
                                    {id, "why not", 1, blocks::kManualReason}, Cancel())
                      .ok());
    }
    for (int i = 0; i < 5; ++i)
      put(one("ready-after-dedup", i == 3 ? "2" : "1"), span(2 * i, 2 * i + 2), {std::to_string(2 + i)});
    put(one("a-partial-overlap", "1"), span(0, 2), {"1", "2"});
    put(one("a-partial-overlap", "2"), span(1, 4), {"2", "3"});
    put(one("a-partial-overlap", "3"), span(3, 4), {"2", "4"});
    put(one("a-partial-overlap", "1"), span(4, 6), {"2", "5"});
    auto rule = [](const std::string& replica) {
      return LabelMap{{"case", "multi-replica-overlap"}, {"rule_replica", replica}, {"replica", "1"}};
    };
    put(rule("1"), span(0, 2), {"1", "2"});
    put(rule("2"), span(1, 4), {"2", "3"});
    put(rule("1"), span(1, 4), {"2", "4"});
    put(rule("1"), span(4, 6), {"2", "5"});
    put(one("full-overlap", "1"), span(0, 2), {"1", "2"});
    put(one("full-overlap", "2"), span(0, 2), {"2", "3"});
    put(one("full-overlap", "1"), span(2, 4), {"2", "4"});
    put(one("full-overlap", "1"), span(4, 6), {"2", "5"});
    BlockSpec long_one;
    long_one.series = {{{"z", "1"}, {"b", "2"}}, {{"z", "1"}, {"b", "5"}}};
    long_one.external = {{"case", "block-about-to-be-downsampled"}};
    long_one.mint = kTestStart;
    long_one.maxt = kTestStart + 240 * kHour;
    long_one.samples = 1200;
    f_.Put(long_one);
    for (int i = 0; i < 5; ++i) PutPartial(i);
  }

  // Uploads without meta.json: two alone, two with a mark of now, one whose mark is old.
  void PutPartial(int i) {
    BlockSpec spec;
    spec.series = {{{"a", "1"}, {"b", "2"}}};
    spec.external = {{"case", "malformed-things"}, {"replica", "101"}};
    spec.mint = kTestStart;
    spec.maxt = kTestStart + 2 * kHour;
    const Ulid id = f_.Put(spec);
    ASSERT_TRUE(f_.bucket().Delete(id.ToString() + "/meta.json", Cancel()).ok());
    if (i % 2 == 0 && i != 4) return;
    const int64_t age_s = i == 4 ? 50 * 3600 : 0;
    ASSERT_TRUE(blocks::SetMarker(f_.bucket(), blocks::MarkerKind::kDeletion,
                                  {id, "", f_.clock().NowMs() / 1000 - age_s, ""}, Cancel())
                    .ok());
    if (i == 4) old_partial_ = id;
  }

  NodeOptions WithDedup(tsdb::MergeKind kind = tsdb::MergeKind::kChain) {
    NodeOptions options = f_.Options();
    options.sync.replica_labels = {"replica", "rule_replica"};
    options.runner.vertical = true;
    options.merge_kind = kind;
    return options;
  }
  size_t Count(const std::string& name, const LabelMap& more, const std::string& b) {
    LabelMap external = {{"case", name}};
    external.insert(more.begin(), more.end());
    if (samples_.empty()) samples_ = f_.Samples();
    auto found = samples_.find({external, {{"a", "1"}, {"b", b}}});
    return found == samples_.end() ? 0 : found->second.size();
  }

  BucketFixture f_;
  int raw_blocks_ = 0;
  Ulid old_partial_;
  decltype(std::declval<BucketFixture>().Samples()) samples_;  // as they were when they were first counted
};

TEST_F(ScenarioTest, CompactsDownsamplesAndMarksAsManyAsThanos) {
  ASSERT_EQ(raw_blocks_, 30);
  telemetry::Registry registry;
  auto node = f_.MakeNode(WithDedup(), registry);
  ASSERT_NE(node, nullptr);
  const size_t before = f_.Metas().size();
  Status status = node->compactor().Iterate(Cancel());
  ASSERT_TRUE(status.ok()) << status.message();
  auto sum = [&](const char* name) { return MetricSum(registry, name); };
  EXPECT_EQ(sum("thanos_compact_blocks_marked_total"), 18);
  EXPECT_EQ(sum("thanos_compact_group_compactions_total"), 6);
  EXPECT_EQ(sum("thanos_compact_group_vertical_compactions_total"), 3);
  EXPECT_EQ(sum("thanos_compact_group_compactions_failures_total"), 0);
  EXPECT_EQ(sum("thanos_compact_group_compaction_runs_started_total"), 14);
  EXPECT_EQ(sum("thanos_compact_group_compaction_runs_completed_total"), 14);
  EXPECT_EQ(sum("thanos_compact_downsample_total"), 2);
  EXPECT_EQ(sum("thanos_compact_downsample_failures_total"), 0);
  EXPECT_EQ(sum("thanos_compact_block_cleanup_failures_total"), 0);
  EXPECT_EQ(sum("thanos_compact_aborted_partial_uploads_deletion_attempts_total"), 0);
  EXPECT_EQ(sum("thanos_compact_halted"), 0);
  EXPECT_EQ(f_.Metas().size(), before + 6 + 2);
  // A deletion that was begun is finished; Thanos leaves the rest of that block where it is.
  EXPECT_EQ(sum("thanos_compact_blocks_cleaned_total"), 1);
  EXPECT_FALSE(f_.Marked(old_partial_));

  EXPECT_EQ(Count("no-compaction", {{"replica", "1"}}, "2"), 360u);
  for (const char* b : {"2", "3", "4", "5"}) EXPECT_EQ(Count("compaction-ready", {}, b), 120u);
  EXPECT_EQ(Count("compaction-ready", {{"replica", "1"}}, "6"), 120u);
  for (const char* b : {"2", "3"}) EXPECT_EQ(Count("one-block-marked", {}, b), 120u);
  for (const char* b : {"4", "5", "6"}) EXPECT_EQ(Count("one-block-marked", {{"replica", "1"}}, b), 120u);
  for (const char* b : {"2", "3", "4", "5"}) EXPECT_EQ(Count("ready-after-dedup", {}, b), 120u);
  for (const char* b : {"1", "3", "4"}) EXPECT_EQ(Count("a-partial-overlap", {}, b), 120u);
  EXPECT_EQ(Count("a-partial-overlap", {}, "2"), 360u);
  EXPECT_EQ(Count("multi-replica-overlap", {}, "2"), 240u);
  EXPECT_EQ(Count("full-overlap", {}, "2"), 120u);
  EXPECT_EQ(Count("full-overlap", {{"replica", "1"}}, "2"), 240u);

  // Again: nothing is left to do.
  ASSERT_TRUE(node->compactor().Iterate(Cancel()).ok());
  EXPECT_EQ(sum("thanos_compact_group_compactions_total"), 6);
  EXPECT_EQ(sum("thanos_compact_group_compaction_runs_started_total"), 21);
  EXPECT_EQ(sum("thanos_compact_downsample_total"), 2);
  EXPECT_EQ(sum("thanos_compact_blocks_marked_total"), 18);
  EXPECT_EQ(f_.Metas().size(), before + 6 + 2);
}

TEST_F(ScenarioTest, WithoutADeleteDelayWhatWasReplacedGoes) {
  telemetry::Registry first, second;
  NodeOptions options = WithDedup();
  ASSERT_TRUE(f_.MakeNode(options, first)->compactor().Iterate(Cancel()).ok());
  options.sync.delete_delay = options.loop.delete_delay = std::chrono::milliseconds(0);
  f_.clock().Advance(std::chrono::seconds(2));
  auto node = f_.MakeNode(options, second);
  ASSERT_TRUE(node->compactor().Iterate(Cancel()).ok());
  // And the two partial blocks with a mark.
  EXPECT_EQ(MetricSum(second, "thanos_compact_blocks_cleaned_total"), 18 + 2);
  EXPECT_EQ(MetricSum(second, "thanos_compact_group_compactions_total"), 0);
  EXPECT_EQ(MetricSum(second, "thanos_compact_group_compaction_runs_started_total"), 7);
  EXPECT_EQ(MetricSum(second, "thanos_compact_group_compaction_runs_completed_total"), 7);
  EXPECT_EQ(MetricSum(second, "thanos_compact_downsample_total"), 0);
  EXPECT_EQ(f_.Metas().size(), 21u);
}

TEST_F(ScenarioTest, PenaltyExactLosesWhatThanosLoses) {
  telemetry::Registry registry;
  auto node = f_.MakeNode(WithDedup(tsdb::MergeKind::kPenaltyExact), registry);
  ASSERT_TRUE(node->compactor().Iterate(Cancel()).ok());
  EXPECT_EQ(MetricSum(registry, "thanos_compact_group_compactions_total"), 6);
  EXPECT_EQ(Count("a-partial-overlap", {}, "2"), 200u);
  EXPECT_EQ(Count("multi-replica-overlap", {}, "2"), 195u);
  EXPECT_EQ(Count("full-overlap", {}, "2"), 120u);
  EXPECT_EQ(Count("a-partial-overlap", {}, "1"), 120u);
}

// Thanos halts here, with nothing compacted.
TEST_F(ScenarioTest, WithoutReplicaLabelsOneGroupIsQuarantinedAndTheRestGoesOn) {
  telemetry::Registry registry;
  NodeOptions options = f_.Options();
  const std::string leftover = io::JoinPath(options.data_dir, "compact/0@1/ITISAVERYRANDULIDFORTESTS0");
  ASSERT_TRUE(f_.files().MakeDirectories(leftover).ok());
  auto node = f_.MakeNode(options, registry);
  auto before = f_.Samples();
  Status status = node->compactor().Iterate(Cancel());
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(f_.Samples(), before);
  EXPECT_FALSE(f_.files().Exists(leftover));
  EXPECT_EQ(MetricSum(registry, "thanos_compact_halted"), 0);
  // compaction-ready, and two of the one with a mark.
  EXPECT_EQ(MetricSum(registry, "thanos_compact_group_compactions_total"), 2);
  EXPECT_EQ(MetricSum(registry, "thanos_compact_blocks_marked_total"), 6);
  EXPECT_EQ(MetricSum(registry, "thanos_compact_downsample_total"), 2);
  auto marks = node->quarantine().marks();
  ASSERT_EQ(marks.size(), 1u);
  const QuarantineMark& mark = marks.begin()->second;
  EXPECT_EQ(mark.group, "0@{case=\"multi-replica-overlap\", replica=\"1\", rule_replica=\"1\"}");
  EXPECT_EQ(mark.reason, kOverlapReason);
  EXPECT_EQ(mark.blocks.size(), 2u);
  EXPECT_NE(mark.repair.find("--action=merge"), std::string::npos);
  EXPECT_EQ(MetricSum(registry, "gauntlet_compact_quarantined"), 1);
  node.reset();

  // Where overlaps are merged, the group is free again.
  telemetry::Registry second;
  options.runner.vertical = true;
  node = f_.MakeNode(options, second);
  ASSERT_TRUE(node->compactor().Iterate(Cancel()).ok());
  EXPECT_TRUE(node->quarantine().marks().empty());
  EXPECT_EQ(MetricSum(second, "thanos_compact_group_vertical_compactions_total"), 1);
  EXPECT_EQ(f_.Samples(), before);
}

}  // namespace
}  // namespace gauntlet::compactor
