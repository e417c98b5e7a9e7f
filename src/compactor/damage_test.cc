// Buckets with every kind of damage: what is bad is set aside and named, all else is compacted, and no sample is lost.
#include <gtest/gtest.h>

#include "compactor/testing/damaged_bucket.h"

namespace gauntlet::compactor {
namespace {

TEST_F(DamageTest, EachKindNamesItsBlockAndTheRestOfTheBucketIsCompacted) {
  struct Kind {
    const char* name;
    const char* reason;
    std::function<void(const Ulid&)> damage;
  };
  const Kind kinds[] = {
      {"index that is cut", kBrokenIndexReason,
       [&](const Ulid& id) {
         const std::string name = id.ToString() + "/index";
         Replace(name, Object(name).substr(0, Object(name).size() / 2));
       }},
      {"index with another byte", kBrokenIndexReason, [&](const Ulid& id) { Flip(id.ToString() + "/index", 10); }},
      {"no index", kBrokenIndexReason,
       [&](const Ulid& id) { ASSERT_TRUE(f_.bucket().Delete(id.ToString() + "/index", Cancel()).ok()); }},
      {"no chunks", kChunksReason,
       [&](const Ulid& id) { ASSERT_TRUE(f_.bucket().Delete(id.ToString() + "/chunks/000001", Cancel()).ok()); }},
      {"chunk with another byte", kChunksReason, [&](const Ulid& id) { Flip(id.ToString() + "/chunks/000001", 100); }},
      {"times that do not hold its chunks", kOutsideReason,
       [&](const Ulid& id) {
         blocks::Meta meta = f_.Metas().at(id);
         meta.block.maxt_ms -= kHour;
         Replace(id.ToString() + "/meta.json", blocks::FormatMeta(meta));
       }},
      {"chunks out of order", kChunkOrderReason, [&](const Ulid& id) { Unorder(id); }},
  };
  int i = 0;
  for (const Kind& kind : kinds) {
    SCOPED_TRACE(kind.name);
    const std::string cluster = "c" + std::to_string(i++);
    const std::vector<Ulid> ids = PutGroup({{"cluster", cluster}});
    kind.damage(ids[1]);
    Status status = Iterate(f_.Options());
    ASSERT_TRUE(status.ok()) << status.message();
    auto marks = node_->quarantine().marks();
    ASSERT_TRUE(marks.contains(ids[1].ToString()));
    const QuarantineMark& mark = marks[ids[1].ToString()];
    EXPECT_EQ(mark.reason, kind.reason) << mark.details;
    EXPECT_EQ(mark.blocks, std::vector<Ulid>{ids[1]});
    EXPECT_EQ(mark.group, "0@{cluster=\"" + cluster + "\"}");
    EXPECT_NE(mark.repair.find(ids[1].ToString()), std::string::npos);
    if (mark.reason == kChunkOrderReason) EXPECT_NE(mark.series.find("job=\"a\""), std::string::npos) << mark.series;
    // No merge spans it: of the four, the two behind it.
    EXPECT_FALSE(f_.Marked(ids[0]) || f_.Marked(ids[1]) || f_.Marked(ids[4]));
    EXPECT_TRUE(f_.Marked(ids[2]) && f_.Marked(ids[3]));
    EXPECT_EQ(Sum("thanos_compact_group_compactions_total"), 1);
    EXPECT_EQ(Sum("thanos_compact_group_compactions_failures_total"), 1);
    EXPECT_EQ(Sum("thanos_compact_halted"), 0);
  }
  // Once it is set aside, it costs nothing more.
  ASSERT_TRUE(Iterate(f_.Options()).ok());
  EXPECT_EQ(Sum("thanos_compact_group_compactions_failures_total"), 0);
  EXPECT_EQ(Sum("gauntlet_compact_quarantined"), static_cast<double>(std::size(kinds)));
  ASSERT_TRUE(node_->compactor().MeasureBacklog(Cancel()).ok());
  EXPECT_EQ(Sum("thanos_compact_todo_compactions"), 0);
}

TEST_F(DamageTest, MetaOfAnotherBlockAndOneThatDoesNotParseAreNamed) {
  const std::vector<Ulid> ids = PutGroup(kEu);
  const Ulid copy = Ulid::Make(kTestStart + 99), bad = Ulid::Make(kTestStart + 98);
  for (const auto& [name, bytes] : f_.bucket().objects()) {
    if (!name.starts_with(ids[0].ToString())) continue;
    ASSERT_TRUE(
        objstore::WriteObject(f_.bucket(), copy.ToString() + name.substr(name.find('/')), bytes, Cancel()).ok());
  }
  ASSERT_TRUE(objstore::WriteObject(f_.bucket(), bad.ToString() + "/meta.json", "{", Cancel()).ok());
  ASSERT_TRUE(Iterate(f_.Options()).ok());
  EXPECT_EQ(Sum("thanos_compact_group_compactions_total"), 1);
  auto marks = node_->quarantine().marks();
  ASSERT_EQ(marks.size(), 2u);
  EXPECT_EQ(marks[copy.ToString()].reason, kBadMetaReason);
  EXPECT_EQ(marks[bad.ToString()].reason, kBadMetaReason);
  // One is corrected, the other goes.
  Replace(bad.ToString() + "/meta.json", blocks::FormatMeta([&] {
            blocks::Meta meta = f_.Metas().at(ids[4]);
            meta.block.ulid = bad;
            meta.thanos.labels = kUs;
            return meta;
          }()));
  ASSERT_TRUE(blocks::DeleteBlock(f_.bucket(), copy, Cancel()).ok());
  ASSERT_TRUE(Iterate(f_.Options()).ok());
  EXPECT_TRUE(node_->quarantine().marks().empty());
}

TEST_F(DamageTest, UnorderedChunksAreMarkedNoCompactWhereThatIsAskedFor) {
  const std::vector<Ulid> ids = PutGroup(kEu);
  Unorder(ids[1]);
  NodeOptions options = f_.Options();
  options.runner.skip_unordered_chunks = true;
  ASSERT_TRUE(Iterate(options).ok());
  EXPECT_TRUE(node_->quarantine().marks().empty());
  auto mark = blocks::ReadMarker(f_.bucket(), blocks::MarkerKind::kNoCompact, ids[1], Cancel());
  ASSERT_TRUE(mark.ok());
  EXPECT_EQ(mark->reason, blocks::kOutOfOrderChunksReason);
  EXPECT_TRUE(f_.Marked(ids[2]) && f_.Marked(ids[3]));
}

TEST_F(DamageTest, BlockThatCannotBeDownsampledIsNamedAndTheOthersAreDone) {
  BlockSpec spec;
  spec.series = {{{"job", "a"}}};
  spec.mint = kTestStart;
  spec.maxt = kTestStart + 48 * kHour;
  spec.external = kEu;
  const Ulid bad = f_.Put(spec);
  spec.external = kUs;
  f_.Put(spec);
  Flip(bad.ToString() + "/chunks/000001", 40);
  Status status = Iterate(f_.Options());
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(Sum("thanos_compact_downsample_total"), 1);
  EXPECT_EQ(Sum("thanos_compact_downsample_failures_total"), 1);
  EXPECT_EQ(Sum("thanos_compact_downsample_failed_total"), 1);
  EXPECT_EQ(OnlyMark().subject, bad.ToString());
  EXPECT_EQ(OnlyMark().reason, kChunksReason);
  EXPECT_NE(OnlyMark().series.find("job=\"a\""), std::string::npos) << OnlyMark().series;
  ASSERT_TRUE(Iterate(f_.Options()).ok());
  EXPECT_EQ(Sum("thanos_compact_downsample_failures_total"), 0);
}

// Everything is deleted, of which the metas know nothing: nobody is to blame, and nothing is given up.
TEST_F(DamageTest, GroupWhoseMergeMakesNoSenseIsHeldUntilItIsReleased) {
  const std::vector<Ulid> ids = PutGroup(kEu);
  const std::string path = io::JoinPath(f_.dir(), "index");
  for (const Ulid& id : ids) {
    ASSERT_TRUE(f_.files().WriteAtomically(path, Object(id.ToString() + "/index")).ok());
    auto index = tsdb::IndexReader::Open(f_.files(), path);
    ASSERT_TRUE(index.ok());
    tsdb::Tombstones tombstones;
    for (uint32_t series : {(*(*index)->AllPostings())[0], (*(*index)->AllPostings())[1]})
      tombstones.Add(series, {0, kTestStart + 100 * kHour});
    ASSERT_TRUE(objstore::WriteObject(f_.bucket(), id.ToString() + "/tombstones", tombstones.Format(), Cancel()).ok());
  }
  for (int i = 0; i < 2; ++i) {
    Status status = Iterate(f_.Options());
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(OnlyMark().subject, "0@10215758682207145076");
    EXPECT_EQ(OnlyMark().reason, kMergeReason);
    EXPECT_EQ(OnlyMark().blocks.size(), 4u);
    EXPECT_EQ(f_.Unmarked().size(), 5u);
    EXPECT_EQ(Sum("thanos_compact_group_compactions_failures_total"), i == 0 ? 1 : 0);
  }
  for (const Ulid& id : ids) ASSERT_TRUE(f_.bucket().Delete(id.ToString() + "/tombstones", Cancel()).ok());
  const blocks::MetaMap none;
  Repairer repairer(none, node_->merges(), node_->quarantine());
  ASSERT_TRUE(repairer.Run({RepairAction::kRelease, {}, {}, "0@10215758682207145076"}, Cancel()).ok());
  ASSERT_TRUE(Iterate(f_.Options()).ok());
  EXPECT_TRUE(node_->quarantine().marks().empty());
  EXPECT_EQ(f_.Unmarked().size(), 2u);
}

}  // namespace
}  // namespace gauntlet::compactor
