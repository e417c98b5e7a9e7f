#include "compactor/repair.h"

#include <gtest/gtest.h>

#include "compactor/testing/damaged_bucket.h"

namespace gauntlet::compactor {
namespace {

class RepairTest : public DamageTest {};

TEST_F(RepairTest, AutoRepairSortsChunksAndMergesOverlapsWithoutLosingASample) {
  const std::vector<Ulid> ids = PutGroup(kEu);
  Unorder(ids[1]);
  BlockSpec overlap;
  overlap.external = kEu;
  overlap.series = {{{"__name__", "up"}, {"job", "c"}}};
  overlap.mint = kTestStart + kHour;
  overlap.maxt = kTestStart + 3 * kHour;
  f_.Put(overlap);
  const auto before = f_.Samples();
  NodeOptions options = f_.Options();
  options.runner.auto_repair = true;
  Status status = Iterate(options);
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_TRUE(node_->quarantine().marks().empty());
  EXPECT_EQ(f_.Samples(), before);
  auto left = f_.Unmarked();
  EXPECT_EQ(left.size(), 2u);  // 8h, and the newest
}

TEST_F(RepairTest, RepairByHandFreesTheGroup) {
  const std::vector<Ulid> eu = PutGroup(kEu), us = PutGroup(kUs);
  BlockSpec overlap;
  overlap.external = kEu;
  overlap.series = {{{"__name__", "up"}, {"job", "c"}}};
  overlap.mint = kTestStart + kHour / 2;
  overlap.maxt = kTestStart + kHour;
  const Ulid extra = f_.Put(overlap);
  Unorder(us[1]);
  const auto before = f_.Samples();
  ASSERT_TRUE(Iterate(f_.Options()).ok());
  EXPECT_EQ(node_->quarantine().marks().size(), 2u);

  Result<std::string> merged = Repair(RepairAction::kMerge, {eu[0], extra});
  ASSERT_TRUE(merged.ok()) << merged.status().message();
  Result<std::string> sorted = Repair(RepairAction::kSort, {us[1]});
  ASSERT_TRUE(sorted.ok()) << sorted.status().message();
  EXPECT_TRUE(node_->quarantine().marks().empty());
  Status status = Iterate(f_.Options());
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_TRUE(node_->quarantine().marks().empty());
  EXPECT_EQ(f_.Samples(), before);
  // Two had been merged behind the one that was out of order: what is left is merged with them.
  EXPECT_EQ(f_.Unmarked().size(), 4u);
}

TEST_F(RepairTest, KeepOneMarksTheOthersAndTheyTakePartInNothingMore) {
  const std::vector<Ulid> ids = PutGroup(kEu);
  BlockSpec overlap;
  overlap.external = kEu;
  overlap.series = {{{"__name__", "up"}, {"job", "c"}}};
  overlap.mint = kTestStart;
  overlap.maxt = kTestStart + 2 * kHour;
  const Ulid extra = f_.Put(overlap);
  ASSERT_TRUE(Iterate(f_.Options()).ok());
  EXPECT_EQ(OnlyMark().reason, kOverlapReason);
  // Nothing that compaction could do: no backlog.
  ASSERT_TRUE(node_->compactor().MeasureBacklog(Cancel()).ok());
  EXPECT_EQ(Sum("thanos_compact_todo_compactions"), 0);
  EXPECT_FALSE(Repair(RepairAction::kKeepOne, {ids[0], extra}).ok());  // which one?
  ASSERT_TRUE(Repair(RepairAction::kKeepOne, {ids[0], extra}, ids[0]).ok());
  EXPECT_TRUE(f_.Marked(extra));
  ASSERT_TRUE(Iterate(f_.Options()).ok());
  EXPECT_TRUE(node_->quarantine().marks().empty());
  // The one that was given up still lies there, and cuts the window: no result spans its time.
  for (const auto& [id, meta] : f_.Unmarked()) {
    for (const tsdb::BlockParent& parent : meta.block.compaction.parents) EXPECT_NE(parent.ulid, extra);
  }
  EXPECT_FALSE(f_.Samples().contains({kEu, {{"__name__", "up"}, {"job", "c"}}}));
}

TEST_F(RepairTest, SalvageKeepsWhatReads) {
  const std::vector<Ulid> ids = PutGroup(kEu);
  const auto before = f_.Samples();
  Flip(ids[1].ToString() + "/chunks/000001", 100);
  ASSERT_TRUE(Iterate(f_.Options()).ok());
  EXPECT_EQ(OnlyMark().reason, kChunksReason);
  Result<std::string> text = Repair(RepairAction::kSalvage, {ids[1]});
  ASSERT_TRUE(text.ok()) << text.status().message();
  EXPECT_NE(text->find("without 1 chunks of 1 series"), std::string::npos) << *text;
  EXPECT_TRUE(node_->quarantine().marks().empty());
  ASSERT_TRUE(Iterate(f_.Options()).ok());
  size_t lost = 0;
  const auto after = f_.Samples();
  for (const auto& [series, samples] : before) {
    for (const auto& [t, v] : samples) lost += after.at(series).contains(t) ? 0 : 1;
  }
  EXPECT_GT(lost, 0u);
  EXPECT_LE(lost, 240u);  // of a chunk
}

TEST_F(RepairTest, DroppedBlockAndReleasedOne) {
  const std::vector<Ulid> ids = PutGroup(kEu);
  const std::string name = ids[1].ToString() + "/index", good = Object(name);
  Replace(name, "x");
  ASSERT_TRUE(Iterate(f_.Options()).ok());
  EXPECT_EQ(OnlyMark().subject, ids[1].ToString());
  // The object came back from a backup.
  Replace(name, good);
  ASSERT_TRUE(Repair(RepairAction::kRelease, {ids[1]}).ok());
  EXPECT_TRUE(node_->quarantine().marks().empty());
  EXPECT_FALSE(Repair(RepairAction::kDrop, {}).ok());
  ASSERT_TRUE(Repair(RepairAction::kDrop, {ids[1]}).ok());
  EXPECT_TRUE(f_.Marked(ids[1]));
  EXPECT_FALSE(Repair(RepairAction::kMerge, {ids[0]}).ok());
  EXPECT_FALSE(Repair(RepairAction::kSort, {Ulid::Make(1)}).ok());
}

TEST_F(RepairTest, BlockWithManyDeletionsIsRewrittenOnce) {
  BlockSpec spec;
  spec.external = kEu;
  spec.series = {{{"job", "a"}}, {{"job", "b"}}};
  spec.mint = kTestStart;
  spec.maxt = kTestStart + 8 * kHour;
  const Ulid big = f_.Put(spec);
  spec.mint = spec.maxt;
  spec.maxt += 2 * kHour;
  f_.Put(spec);
  blocks::Meta meta = f_.Metas().at(big);
  meta.block.stats.tombstones = 1;
  Replace(big.ToString() + "/meta.json", blocks::FormatMeta(meta));
  const std::string path = io::JoinPath(f_.dir(), "index");
  ASSERT_TRUE(f_.files().WriteAtomically(path, Object(big.ToString() + "/index")).ok());
  auto index = tsdb::IndexReader::Open(f_.files(), path);
  ASSERT_TRUE(index.ok());
  tsdb::Tombstones tombstones;
  tombstones.Add((*(*index)->AllPostings())[0], {kTestStart, kTestStart + 4 * kHour});
  ASSERT_TRUE(objstore::WriteObject(f_.bucket(), big.ToString() + "/tombstones", tombstones.Format(), Cancel()).ok());
  auto expected = f_.Samples();
  for (int i = 0; i < 2; ++i) {
    Status status = Iterate(f_.Options());
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(Sum("thanos_compact_group_compactions_total"), i == 0 ? 1 : 0);
    EXPECT_TRUE(f_.Marked(big));
    EXPECT_EQ(f_.Unmarked().size(), 2u);
    EXPECT_EQ(f_.Samples(), expected);
  }
}

}  // namespace
}  // namespace gauntlet::compactor
