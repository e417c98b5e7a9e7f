// Buckets with every kind of damage: what is bad is set aside and named, all else is compacted, and no sample is lost.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/mutex.h"
#include "compactor/repair.h"
#include "compactor/testing/bucket_fixture.h"
#include "tsdb/index/index_reader.h"

namespace gauntlet::compactor {
namespace {

const LabelMap kEu = {{"cluster", "eu"}}, kUs = {{"cluster", "us"}};

class DamageTest : public testing::Test {
 protected:
  // Five blocks of 2h: four make 8h, the fifth lets them. Several chunks a series.
  std::vector<Ulid> PutGroup(const LabelMap& external, int blocks = 5) {
    std::vector<Ulid> ids;
    for (int i = 0; i < blocks; ++i) {
      BlockSpec spec;
      spec.external = external;
      spec.series = {{{"__name__", "up"}, {"job", "a"}}, {{"__name__", "up"}, {"job", "b"}}};
      spec.mint = kTestStart + 2 * i * kHour;
      spec.maxt = spec.mint + 2 * kHour;
      spec.samples = 700;
      ids.push_back(f_.Put(spec));
    }
    return ids;
  }
  std::string Object(const std::string& name) {
    auto objects = f_.bucket().objects();
    auto found = objects.find(name);
    return found == objects.end() ? "" : found->second;
  }
  void Replace(const std::string& name, const std::string& bytes) {
    ASSERT_TRUE(f_.bucket().Delete(name, Cancel()).ok());
    ASSERT_TRUE(objstore::WriteObject(f_.bucket(), name, bytes, Cancel()).ok());
  }
  void Flip(const std::string& name, size_t at) {
    std::string bytes = Object(name);
    ASSERT_LT(at, bytes.size());
    bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
    Replace(name, bytes);
  }
  // The second and third chunk of the first series change places in the index.
  void Unorder(const Ulid& id) {
    const std::string name = id.ToString() + "/index", path = io::JoinPath(f_.dir(), "index");
    std::string bytes = Object(name);
    ASSERT_TRUE(f_.files().WriteAtomically(path, bytes).ok());
    auto index = tsdb::IndexReader::Open(f_.files(), path);
    ASSERT_TRUE(index.ok());
    auto all = (*index)->AllPostings();
    ASSERT_TRUE(all.ok());
    tsdb::SeriesDecoder decoder((*index)->symbols());
    tsdb::SeriesEntry entry;
    ASSERT_TRUE(decoder.Decode((*index)->SeriesBytes((*all)[0]), &entry).ok());
    ASSERT_GE(entry.chunks.size(), 5u);
    std::vector<uint32_t> symbols;
    std::map<std::string, uint32_t> numbers;
    tsdb::SymbolTable::Cursor cursor((*index)->symbols());
    uint32_t n = 0;
    for (std::string_view symbol; cursor.Next(&symbol);) numbers[std::string(symbol)] = n++;
    for (auto [label, value] : entry.labels()) {
      symbols.push_back(numbers.at(std::string(label)));
      symbols.push_back(numbers.at(std::string(value)));
    }
    const size_t from = uint64_t{(*all)[0]} * 16;
    const size_t room = (uint64_t{(*all)[1]} - (*all)[0]) * 16;
    std::swap(entry.chunks[1], entry.chunks[2]);
    // One that goes back takes more room: chunks at the end give way.
    std::string made;
    while (entry.chunks.size() > 3) {
      made.clear();
      tsdb::AppendSeriesEntry(symbols, entry.chunks, &made);
      if (made.size() <= room) break;
      entry.chunks.pop_back();
    }
    ASSERT_LE(made.size(), room);
    made.resize(room, '\0');
    bytes.replace(from, room, made);
    Replace(name, bytes);
  }
  Status Iterate(const NodeOptions& options) {
    registry_ = std::make_unique<telemetry::Registry>();
    node_.reset();
    node_ = f_.MakeNode(options, *registry_);
    return node_ == nullptr ? Status(Code::kInternal, "no node") : node_->compactor().Iterate(Cancel());
  }
  double Sum(const std::string& name) { return MetricSum(*registry_, name); }
  // One mark, of the block.
  QuarantineMark OnlyMark() {
    auto marks = node_->quarantine().marks();
    EXPECT_EQ(marks.size(), 1u);
    return marks.empty() ? QuarantineMark() : marks.begin()->second;
  }
  Result<std::string> Repair(RepairAction action, const std::vector<Ulid>& ids, std::optional<Ulid> keep = {}) {
    GN_ASSIGN(blocks::Catalog catalog, node_->catalog().Sync(Cancel()));
    Repairer repairer(catalog.metas, node_->merges(), node_->quarantine());
    return repairer.Run({action, ids, keep, ""}, Cancel());
  }

  BucketFixture f_;
  std::unique_ptr<telemetry::Registry> registry_;
  std::unique_ptr<Node> node_;
};

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

TEST_F(DamageTest, AutoRepairSortsChunksAndMergesOverlapsWithoutLosingASample) {
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

TEST_F(DamageTest, RepairByHandFreesTheGroup) {
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

TEST_F(DamageTest, KeepOneMarksTheOthersAndTheyTakePartInNothingMore) {
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

TEST_F(DamageTest, SalvageKeepsWhatReads) {
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

TEST_F(DamageTest, DroppedBlockAndReleasedOne) {
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

TEST_F(DamageTest, BlockWithManyDeletionsIsRewrittenOnce) {
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

// Every call to the bucket fails from the n-th on, as if the process had been killed there; then it runs again.
TEST_F(DamageTest, BrokenOffAnywhereItEndsInTheSameBucket) {
  auto result = [](BucketFixture& f) {
    std::map<Ulid, std::vector<Ulid>> left;
    for (const auto& [id, meta] : f.Unmarked()) left[id] = meta.block.compaction.sources;
    return left;
  };
  std::map<std::string, std::string> start;
  PutGroup(kEu);
  BlockSpec overlap;
  overlap.external = kEu;
  overlap.series = {{{"__name__", "up"}, {"job", "b"}}};
  overlap.mint = kTestStart + 2 * kHour;
  overlap.maxt = kTestStart + 4 * kHour;
  f_.Put(overlap);
  start = f_.bucket().objects();
  const auto samples = f_.Samples();
  NodeOptions options = f_.Options();
  options.runner.vertical = true;
  int calls = 0;
  f_.bucket().SetFault([&](std::string_view, const std::string&) {
    ++calls;
    return Status();
  });
  ASSERT_TRUE(Iterate(options).ok());
  f_.bucket().SetFault(nullptr);
  const auto expected = result(f_);
  ASSERT_EQ(expected.size(), 2u);
  const int total = calls;
  for (int n = 1; n < total; n += 1 + total / 40) {
    SCOPED_TRACE(n);
    BucketFixture g;
    for (const auto& [name, bytes] : start) ASSERT_TRUE(objstore::WriteObject(g.bucket(), name, bytes, Cancel()).ok());
    std::atomic<int> at{0};
    g.bucket().SetFault([&](std::string_view, const std::string&) {
      return ++at >= n ? Status(Code::kUnavailable, "killed") : Status();
    });
    NodeOptions again = g.Options();
    again.runner.vertical = true;
    telemetry::Registry first, second;
    if (auto node = g.MakeNode(again, first); node != nullptr) (void)node->compactor().Iterate(Cancel());
    g.bucket().SetFault(nullptr);
    auto node = g.MakeNode(again, second);
    Status status = node->compactor().Iterate(Cancel());
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(result(g), expected);
    EXPECT_TRUE(node->quarantine().marks().empty());
    if (n % 3 == 1) EXPECT_EQ(g.Samples(), samples);
  }
}

// Without leases, another compactor does everything while this one is about to.
TEST_F(DamageTest, SecondCompactorInTheMiddleOfTheFirstDoesNoHarm) {
  PutGroup(kEu);
  const auto samples = f_.Samples();
  NodeOptions options = f_.Options(), other_options = f_.Options();
  options.leases = other_options.leases = false;
  other_options.data_dir += "-other";
  for (const char* when : {"get", "upload", "exists"}) {
    SCOPED_TRACE(when);
    BucketFixture g;
    for (const auto& [name, bytes] : f_.bucket().objects())
      ASSERT_TRUE(objstore::WriteObject(g.bucket(), name, bytes, Cancel()).ok());
    std::atomic<bool> done{false};
    telemetry::Registry mine, theirs;
    NodeOptions a = g.Options(), b = g.Options();
    a.leases = b.leases = false;
    b.data_dir += "-other";
    auto first = g.MakeNode(a, mine), second = g.MakeNode(b, theirs);
    std::atomic<int> at{0};
    g.bucket().SetFault([&](std::string_view operation, const std::string&) {
      if (operation == when && ++at == 5 && !done.exchange(true)) {
        EXPECT_TRUE(second->compactor().Iterate(Cancel()).ok());
      }
      return Status();
    });
    (void)first->compactor().Iterate(Cancel());  // may find that its view is old
    g.bucket().SetFault(nullptr);
    Status status = first->compactor().Iterate(Cancel());
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(g.Unmarked().size(), 2u);
    EXPECT_TRUE(first->quarantine().marks().empty());
    EXPECT_EQ(g.Samples(), samples);
  }
}

TEST_F(DamageTest, GroupThatSomebodyElseWorksOnIsLeftToHim) {
  PutGroup(kEu);
  PutGroup(kUs);
  Leases other(f_.bucket(), "other", std::chrono::minutes(5), f_.clock(), telemetry::Logger::Discard());
  auto lease = other.Take("0@10215758682207145076", Cancel());  // eu
  ASSERT_TRUE(lease.ok() && *lease != nullptr);
  ASSERT_TRUE(Iterate(f_.Options()).ok());
  EXPECT_EQ(Sum("thanos_compact_group_compactions_total"), 1);
  lease->reset();
  ASSERT_TRUE(Iterate(f_.Options()).ok());
  EXPECT_EQ(Sum("thanos_compact_group_compactions_total"), 1);
  EXPECT_EQ(f_.Unmarked().size(), 4u);
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

// The merge waits until a block has been downsampled, which it would wait for in vain if that came after it.
TEST_F(DamageTest, DownsamplingDoesNotWaitForALongCompaction) {
  const std::vector<Ulid> ids = PutGroup(kEu);
  BlockSpec spec;
  spec.series = {{{"job", "a"}}};
  spec.mint = kTestStart;
  spec.maxt = kTestStart + 48 * kHour;
  spec.external = kUs;
  const Ulid raw = f_.Put(spec);
  // A result's id has the time of its newest source.
  auto time_of = [](const Ulid& id) { return id.ToString().substr(0, 10); };
  const std::string merged = time_of(ids[3]), downsampled = time_of(raw);
  Mutex mutex;
  CondVar changed;
  bool done = false;
  f_.bucket().SetFault([&](std::string_view operation, const std::string& name) {
    if (operation != "upload") return Status();
    MutexLock lock(mutex);
    if (name.starts_with(downsampled) && name.ends_with("/meta.json")) {
      done = true;
      changed.NotifyAll();
    }
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!done && name.starts_with(merged) && name.ends_with("/index")) {
      if (!changed.WaitUntil(mutex, until)) return Status(Code::kDeadline, "nothing was downsampled meanwhile");
    }
    return Status();
  });
  NodeOptions options = f_.Options();
  options.loop.patience = std::chrono::milliseconds(1);
  Status status = Iterate(options);
  f_.bucket().SetFault(nullptr);
  EXPECT_TRUE(status.ok()) << status.message();
  EXPECT_TRUE(done);
  EXPECT_EQ(Sum("thanos_compact_group_compactions_total"), 1);
  EXPECT_EQ(Sum("thanos_compact_downsample_total"), 1);
}

TEST_F(DamageTest, RetentionAndCleaningGoOnWhileTheBucketTroublesOneGroup) {
  const std::vector<Ulid> eu = PutGroup(kEu);
  PutGroup(kUs);
  f_.bucket().SetFault([&](std::string_view operation, const std::string& name) {
    return operation.starts_with("get") && name == eu[2].ToString() + "/index" ? Status(Code::kUnavailable, "slow down")
                                                                               : Status();
  });
  NodeOptions options = f_.Options();
  options.loop.retention = {{0, std::chrono::hours(24)}};
  Status status = Iterate(options);
  EXPECT_EQ(status.code(), Code::kUnavailable);  // to be tried again
  EXPECT_TRUE(node_->quarantine().marks().empty());
  EXPECT_EQ(Sum("thanos_compact_group_compactions_total"), 1);
  EXPECT_TRUE(f_.Unmarked().empty());  // all of it is 20 days old
}

}  // namespace
}  // namespace gauntlet::compactor
