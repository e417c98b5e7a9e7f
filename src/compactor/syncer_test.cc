#include "compactor/syncer.h"

#include <gtest/gtest.h>

#include "blocks/testing/block_fixture.h"
#include "compactor/group.h"
#include "objstore/memory_bucket.h"

namespace gauntlet::compactor {
namespace {

using blocks::TestMeta;
using blocks::TestUlid;

class SyncerTest : public testing::Test {
 protected:
  void Make(SyncOptions options = {}) {
    options.consistency_delay = std::chrono::milliseconds(0);
    catalog_ = std::make_unique<blocks::BlockCatalog>(blocks::CatalogOptions(), bucket_, io::RealFileSystem(), pool_,
                                                      registry_, telemetry::Logger::Discard());
    syncer_ = std::make_unique<Syncer>(options, *catalog_, registry_, metrics_, telemetry::Logger::Discard(), clock_);
  }
  void Put(uint8_t n, std::vector<uint8_t> sources, std::map<std::string, std::string> labels = {{"cluster", "eu"}}) {
    blocks::Meta meta = TestMeta(TestUlid(n), 0, 7'200'000, std::move(labels));
    meta.block.compaction.sources.clear();
    for (uint8_t source : sources) meta.block.compaction.sources.push_back(TestUlid(source));
    blocks::PutBlock(bucket_, meta);
  }
  bool Marked(uint8_t n) {
    return blocks::ReadMarker(bucket_, blocks::MarkerKind::kDeletion, TestUlid(n), Cancel()).ok();
  }

  SimulatedClock clock_{1'767'700'000'000};
  objstore::MemoryBucket bucket_{clock_};
  ThreadPool pool_{"test", 4};
  telemetry::Registry registry_;
  CompactMetrics metrics_{registry_, std::chrono::hours(48), true};
  Quarantine quarantine_{bucket_, registry_, telemetry::Logger::Discard()};
  std::unique_ptr<blocks::BlockCatalog> catalog_;
  std::unique_ptr<Syncer> syncer_;
};

TEST_F(SyncerTest, WhatAnotherBlockReplacesIsMarkedAndNotSeen) {
  Make();
  Put(1, {1});
  Put(2, {2});
  Put(3, {1, 2});
  Put(4, {1}, {{"cluster", "us"}});  // of another group
  auto state = syncer_->Sync(Cancel());
  ASSERT_TRUE(state.ok());
  EXPECT_EQ(state->metas.size(), 2u);
  EXPECT_EQ(state->all.size(), 4u);
  ASSERT_TRUE(syncer_->CollectGarbage(*state, quarantine_, Cancel()).ok());
  EXPECT_TRUE(Marked(1) && Marked(2));
  EXPECT_FALSE(Marked(3) || Marked(4));
  EXPECT_EQ(metrics_.garbage_collected_blocks.value(), 2);
  // Again: they are marked, and in view for half of the delay.
  state = syncer_->Sync(Cancel());
  ASSERT_TRUE(state.ok());
  EXPECT_EQ(state->deletion_marks.size(), 2u);
  ASSERT_TRUE(syncer_->CollectGarbage(*state, quarantine_, Cancel()).ok());
  EXPECT_EQ(metrics_.garbage_collected_blocks.value(), 2);
}

TEST_F(SyncerTest, WhatOnlyAQuarantinedBlockReplacesStays) {
  Make();
  Put(1, {1});
  Put(3, {1, 2});
  ASSERT_TRUE(
      quarantine_
          .Put({TestUlid(3).ToString(), "", {TestUlid(3)}, kChunksReason, "a chunk is missing", "", "", 1}, Cancel())
          .ok());
  auto state = syncer_->Sync(Cancel());
  ASSERT_TRUE(state.ok());
  ASSERT_TRUE(syncer_->CollectGarbage(*state, quarantine_, Cancel()).ok());
  EXPECT_FALSE(Marked(1));
  EXPECT_EQ(state->Excluded(quarantine_), std::set<Ulid>{TestUlid(3)});
}

TEST_F(SyncerTest, ReplicaLabelsAreTakenOutAndMarksAreSeen) {
  SyncOptions options;
  options.replica_labels = {"replica"};
  Make(options);
  Put(1, {1}, {{"cluster", "eu"}, {"replica", "a"}});
  Put(2, {2}, {{"cluster", "eu"}, {"replica", "b"}});
  Put(3, {3}, {{"replica", "b"}});
  ASSERT_TRUE(
      blocks::SetMarker(bucket_, blocks::MarkerKind::kNoCompact, {TestUlid(2), "", 1, blocks::kManualReason}, Cancel())
          .ok());
  ASSERT_TRUE(blocks::SetMarker(bucket_, blocks::MarkerKind::kNoDownsample, {TestUlid(1), "", 1, blocks::kManualReason},
                                Cancel())
                  .ok());
  auto state = syncer_->Sync(Cancel());
  ASSERT_TRUE(state.ok());
  auto groups = GroupBlocks(state->metas);
  ASSERT_EQ(groups.size(), 2u);
  std::set<std::string> names = {groups[0].Name(), groups[1].Name()};
  EXPECT_EQ(names, (std::set<std::string>{"0@{cluster=\"eu\"}", "0@{replica=\"deduped\"}"}));
  EXPECT_EQ(state->no_compact, std::set<Ulid>{TestUlid(2)});
  EXPECT_EQ(state->no_downsample, std::set<Ulid>{TestUlid(1)});
}

TEST_F(SyncerTest, ShardsSeeTheirBlocksWithoutReplicaLabels) {
  SyncOptions options;
  options.replica_labels = {"replica"};
  RelabelConfig keep;
  keep.source_labels = {"cluster", "replica"};
  keep.regex = "eu;";
  keep.action = RelabelAction::kKeep;
  auto relabeler = Relabeler::Make({keep});
  ASSERT_TRUE(relabeler.ok());
  options.relabeler = *relabeler;
  Make(options);
  Put(1, {1}, {{"cluster", "eu"}, {"replica", "a"}});
  Put(2, {2}, {{"cluster", "us"}, {"replica", "a"}});
  auto state = syncer_->Sync(Cancel());
  ASSERT_TRUE(state.ok());
  EXPECT_EQ(state->metas.size(), 1u);
  EXPECT_TRUE(state->metas.contains(TestUlid(1)));
  EXPECT_EQ(state->all.size(), 2u);
}

TEST_F(SyncerTest, IncompleteViewIsAnError) {
  Make();
  Put(1, {1});
  Put(2, {2});
  bucket_.SetFault([](std::string_view operation, const std::string& name) {
    return operation == "get" && name == TestUlid(2).ToString() + "/meta.json" ? Status(Code::kUnavailable, "down")
                                                                               : Status();
  });
  EXPECT_EQ(syncer_->Sync(Cancel()).status().code(), Code::kUnavailable);
}

}  // namespace
}  // namespace gauntlet::compactor
