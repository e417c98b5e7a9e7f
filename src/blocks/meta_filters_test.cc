#include "blocks/meta_filters.h"

#include <gtest/gtest.h>

#include "blocks/testing/block_fixture.h"

namespace gauntlet::blocks {
namespace {

class MetaFiltersTest : public testing::Test {
 protected:
  void Add(const Meta& meta) { metas_[meta.block.ulid] = std::make_shared<const Meta>(meta); }
  // The last byte of each id that is left.
  std::vector<int> Run(MetaFilter& filter) {
    synced_.clear();
    modified_.clear();
    EXPECT_TRUE(filter.Filter(catalog_, Cancel(), &metas_, &synced_, &modified_).ok());
    std::vector<int> left;
    for (const auto& [id, meta] : metas_) left.push_back(id.bytes[15]);
    return left;
  }
  Meta WithSources(uint8_t n, std::vector<uint8_t> sources, std::map<std::string, std::string> labels = {{"a", "1"}},
                   int64_t resolution_ms = 0) {
    Meta meta = TestMeta(TestUlid(n), 0, 1, std::move(labels));
    meta.block.compaction.sources.clear();
    for (uint8_t s : sources) meta.block.compaction.sources.push_back(TestUlid(s));
    meta.thanos.resolution_ms = resolution_ms;
    return meta;
  }

  Catalog catalog_;
  MetaMap metas_;
  StateCounts synced_, modified_;
  SimulatedClock clock_{1'767'607'872'123};
};

using Left = std::vector<int>;

TEST_F(MetaFiltersTest, TimePartitionKeepsWhatTouchesTheRange) {
  Add(TestMeta(TestUlid(1), 0, 99));
  Add(TestMeta(TestUlid(2), 0, 100));
  Add(TestMeta(TestUlid(3), 200, 300));
  Add(TestMeta(TestUlid(4), 201, 300));
  TimePartitionFilter filter([] { return 100; }, [] { return 200; });
  EXPECT_EQ(Run(filter), (Left{2, 3}));
  EXPECT_EQ(synced_["time-excluded"], 2);
}

TEST_F(MetaFiltersTest, ShardsByLabelsAndBlockId) {
  Add(TestMeta(TestUlid(1), 0, 1, {{"cluster", "eu"}}));
  Add(TestMeta(TestUlid(2), 0, 1, {{"cluster", "us"}, {"replica", "a"}}));
  auto rules = [](const char* label, const char* regex) {
    RelabelConfig keep;
    keep.source_labels = {label};
    keep.regex = regex;
    keep.action = RelabelAction::kKeep;
    return *Relabeler::Make({keep});
  };
  MetaMap all = metas_;
  ShardFilter by_cluster(rules("cluster", "us"));
  EXPECT_EQ(Run(by_cluster), Left{2});
  EXPECT_EQ(synced_["label-excluded"], 1);
  metas_ = all;
  ShardFilter by_id(rules("__block_id", TestUlid(1).ToString().c_str()));
  EXPECT_EQ(Run(by_id), Left{1});
  metas_ = all;
  ShardFilter without(rules("replica", "a"), {"replica"});
  EXPECT_EQ(Run(without), Left{});
}

TEST_F(MetaFiltersTest, ConsistencyDelayGoesByUploadTimeThenByUlid) {
  int64_t now = clock_.NowMs();
  Add(TestMeta(TestUlid(1, now - 10'000)));  // young by its id
  Add(TestMeta(TestUlid(2, now - 100'000)));
  Meta uploaded = TestMeta(TestUlid(3, now - 1'000'000));
  uploaded.thanos.upload_time = "2026-01-05T10:11:00Z";  // 12 s ago
  Add(uploaded);
  Meta compacted = TestMeta(TestUlid(4, now));
  compacted.thanos.source = kCompactorSource;
  Add(compacted);
  telemetry::Registry registry;
  ConsistencyDelayFilter filter(std::chrono::seconds(60), clock_, &registry);
  EXPECT_EQ(Run(filter), (Left{2, 4}));
  EXPECT_EQ(synced_["too-fresh"], 2);
  EXPECT_NE(registry.Expose(false).find("thanos_consistency_delay_seconds 60"), std::string::npos);
}

TEST_F(MetaFiltersTest, DuplicatesAreCoveredByOneBlockOfTheirGroup) {
  Add(WithSources(1, {1}));
  Add(WithSources(2, {2}));
  Add(WithSources(3, {1, 2}));
  Add(WithSources(4, {4}));
  Add(WithSources(5, {3, 4, 5}));
  Add(WithSources(6, {1}, {{"a", "2"}}));             // another group
  Add(WithSources(7, {1, 2}, {{"a", "1"}}, 300000));  // another resolution
  Add(WithSources(8, {1, 5}));                        // of two blocks, but of none alone
  DeduplicateFilter filter;
  EXPECT_EQ(Run(filter), (Left{3, 5, 6, 7, 8}));
  EXPECT_EQ(filter.duplicates(), (std::vector<Ulid>{TestUlid(1), TestUlid(2), TestUlid(4)}));
  EXPECT_EQ(synced_["duplicate"], 3);
}

TEST_F(MetaFiltersTest, OfEqualSourcesTheOlderStays) {
  Add(WithSources(2, {1}));
  Add(WithSources(3, {1}));
  DeduplicateFilter filter;
  EXPECT_EQ(Run(filter), Left{2});
}

TEST_F(MetaFiltersTest, ReplicaLabelsGoAndOneIsLeft) {
  Add(TestMeta(TestUlid(1), 0, 1, {{"cluster", "eu"}, {"replica", "a"}}));
  Add(TestMeta(TestUlid(2), 0, 1, {{"replica", "a"}, {"rule_replica", "b"}}));
  Add(TestMeta(TestUlid(3), 0, 1, {{"cluster", "us"}}));
  MetaPtr untouched = metas_.at(TestUlid(1));
  ReplicaLabelRemover filter({"replica", "rule_replica"}, telemetry::Logger::Discard());
  EXPECT_EQ(Run(filter), (Left{1, 2, 3}));
  using LabelMap = std::map<std::string, std::string>;
  EXPECT_EQ(metas_.at(TestUlid(1))->thanos.labels, (LabelMap{{"cluster", "eu"}}));
  EXPECT_EQ(metas_.at(TestUlid(2))->thanos.labels, (LabelMap{{"replica", "deduped"}}));
  EXPECT_EQ(untouched->thanos.labels.size(), 2u);
  EXPECT_EQ(modified_["replica-label-removed"], 3);
}

}  // namespace
}  // namespace gauntlet::blocks
