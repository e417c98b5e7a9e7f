// Recorded buckets: what Thanos made of them, we make of them, ids and times of upload aside.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "blocks/header_object.h"
#include "compactor/testing/bucket_fixture.h"
#include "tsdb/chunkenc/testing/golden_chunks.h"

namespace gauntlet::compactor {
namespace {

constexpr int64_t kRecorded = 1'795'415'728'000;  // 2026-11-23

class GoldenBucketTest : public testing::Test {
 protected:
  void SetUp() override {
    if (tsdb::GoldenFolder().empty()) GTEST_SKIP() << "no shared test data";
  }
  std::string Golden(const std::string& path) { return tsdb::GoldenFolder() + "/compact/" + path; }

  // All files below a folder as objects.
  void Load(const std::string& folder, const std::string& as = "") {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      if (!entry.is_regular_file()) continue;
      auto bytes = f_.files().ReadFile(entry.path().string());
      ASSERT_TRUE(bytes.ok());
      const std::string name = as + std::filesystem::relative(entry.path(), folder).string();
      ASSERT_TRUE(objstore::WriteObject(f_.bucket(), name, *bytes, Cancel()).ok());
    }
  }
  void Age(const std::string& id, int64_t hours) {
    for (const auto& [name, bytes] : f_.bucket().objects()) {
      if (name.starts_with(id)) f_.bucket().SetModified(name, f_.clock().NowMs() - hours * kHour);
    }
  }
  std::string Object(const std::string& name) {
    auto objects = f_.bucket().objects();
    auto found = objects.find(name);
    return found == objects.end() ? "" : found->second;
  }

  BucketFixture f_{kRecorded};
};

// Whose block it is, whatever its id.
std::tuple<LabelMap, int64_t, int64_t, int64_t, std::vector<Ulid>> KeyOf(const blocks::Meta& meta) {
  return {meta.thanos.labels, meta.block.mint_ms, meta.block.maxt_ms, meta.block.compaction.level,
          meta.block.compaction.sources};
}

TEST_F(GoldenBucketTest, BucketBecomesWhatThanosMadeOfIt) {
  Load(Golden("bucket-before"));
  Age("01KEDHTZK5SY0EKKHKPXS9ET5M", 50);  // partial-old
  telemetry::Registry registry;
  NodeOptions options = f_.Options();
  options.runner.vertical = true;
  auto node = f_.MakeNode(options, registry);
  Status status = node->compactor().Iterate(Cancel());
  ASSERT_TRUE(status.ok()) << status.message();

  // By what they are made of, the blocks of both buckets pair up.
  std::map<std::string, std::string> ours;  // theirs -> ours
  std::set<std::string> expected, found;
  for (const auto& entry : std::filesystem::directory_iterator(Golden("bucket-after")))
    expected.insert(entry.path().filename().string());
  for (const auto& [name, bytes] : f_.bucket().objects()) {
    if (auto id = Ulid::Parse(name.substr(0, name.find('/')))) found.insert(id->ToString());
  }
  EXPECT_EQ(found.size(), expected.size());
  const auto metas = f_.Metas();
  for (const std::string& id : expected) {
    auto text = f_.files().ReadFile(Golden("bucket-after/" + id + "/meta.json"));
    if (!text.ok()) {
      EXPECT_TRUE(found.contains(id)) << id;  // partial-fresh
      continue;
    }
    auto theirs = blocks::ParseMeta(*text);
    ASSERT_TRUE(theirs.ok());
    auto same = std::find_if(metas.begin(), metas.end(),
                             [&](const auto& meta) { return KeyOf(meta.second) == KeyOf(*theirs); });
    ASSERT_NE(same, metas.end()) << id;
    ours[id] = same->first.ToString();
  }
  for (const auto& [theirs, mine] : ours) {
    for (const char* file : {"index", "chunks/000001"}) {
      EXPECT_TRUE(*f_.files().ReadFile(Golden("bucket-after/" + theirs + "/" + file)) == Object(mine + "/" + file))
          << theirs << "/" << file;
    }
    EXPECT_EQ(f_.files().Exists(Golden("bucket-after/" + theirs + "/deletion-mark.json")),
              !Object(mine + "/deletion-mark.json").empty())
        << theirs;
    blocks::Meta a = *blocks::ParseMeta(*f_.files().ReadFile(Golden("bucket-after/" + theirs + "/meta.json")));
    blocks::Meta b = *blocks::ParseMeta(Object(mine + "/meta.json"));
    auto by_id = [](const tsdb::BlockParent& x, const tsdb::BlockParent& y) { return x.ulid < y.ulid; };
    for (tsdb::BlockParent& parent : a.block.compaction.parents)
      parent.ulid = *Ulid::Parse(ours[parent.ulid.ToString()]);
    std::sort(a.block.compaction.parents.begin(), a.block.compaction.parents.end(), by_id);
    std::sort(b.block.compaction.parents.begin(), b.block.compaction.parents.end(), by_id);
    a.block.ulid = b.block.ulid;
    a.thanos.upload_time = b.thanos.upload_time;
    EXPECT_EQ(blocks::FormatMeta(a), blocks::FormatMeta(b)) << theirs;
  }
  EXPECT_EQ(MetricSum(registry, "thanos_compact_group_compactions_total"), 3);
  EXPECT_EQ(MetricSum(registry, "thanos_compact_blocks_cleaned_total"), 2);
}

TEST_F(GoldenBucketTest, WithoutVerticalCompactionTheOverlapIsSetAsideAndTheRestIsDone) {
  Load(Golden("bucket-before"));
  Age("01KEDHTZK5SY0EKKHKPXS9ET5M", 50);
  telemetry::Registry registry;
  auto node = f_.MakeNode(f_.Options(), registry);
  ASSERT_TRUE(node->compactor().Iterate(Cancel()).ok());
  auto marks = node->quarantine().marks();
  ASSERT_EQ(marks.size(), 1u);
  EXPECT_EQ(marks.begin()->first, "0@10215758682207145076");
  EXPECT_EQ(marks.begin()->second.blocks.size(), 2u);
  // The other cluster is compacted, and what was to go is gone.
  EXPECT_EQ(MetricSum(registry, "thanos_compact_group_compactions_total"), 1);
  EXPECT_EQ(MetricSum(registry, "thanos_compact_blocks_marked_total"), 4);
  EXPECT_EQ(MetricSum(registry, "thanos_compact_blocks_cleaned_total"), 2);
}

struct DedupCase {
  const char* name;
  tsdb::MergeKind kind;
};
class GoldenDedupTest : public GoldenBucketTest, public testing::WithParamInterface<DedupCase> {};

TEST_P(GoldenDedupTest, ReplicasBecomeTheBlockThatThanosMade) {
  const std::string in = Golden(std::string(GetParam().name) + "/in/");
  for (const char* block : {"b0", "b1"}) {
    auto meta = blocks::ParseMeta(*f_.files().ReadFile(in + block + "/meta.json"));
    ASSERT_TRUE(meta.ok());
    Load(in + block, meta->block.ulid.ToString() + "/");
  }
  telemetry::Registry registry;
  NodeOptions options = f_.Options();
  options.sync.replica_labels = {"replica"};
  options.runner.vertical = true;
  options.merge_kind = GetParam().kind;
  auto node = f_.MakeNode(options, registry);
  Status status = node->compactor().Iterate(Cancel());
  ASSERT_TRUE(status.ok()) << status.message();
  ASSERT_TRUE(node->quarantine().marks().empty());
  auto left = f_.Unmarked();
  ASSERT_EQ(left.size(), 1u);
  const std::string id = left.begin()->first.ToString(), out = Golden(std::string(GetParam().name) + "/out/block/");
  EXPECT_TRUE(Object(id + "/index") == *f_.files().ReadFile(out + "index"));
  EXPECT_TRUE(Object(id + "/chunks/000001") == *f_.files().ReadFile(out + "chunks/000001"));
  EXPECT_EQ(left.begin()->second.thanos.labels, (LabelMap{{"cluster", "test"}}));
  // For store gateways, ready-made.
  EXPECT_TRUE(blocks::DownloadIndexHeader(f_.bucket(), f_.files(), left.begin()->first, Object(id + "/index").size(),
                                          io::JoinPath(f_.dir(), "header"), Cancel())
                  .ok());
}

INSTANTIATE_TEST_SUITE_P(All, GoldenDedupTest,
                         testing::Values(DedupCase{"dedup-penalty", tsdb::MergeKind::kPenaltyExact},
                                         DedupCase{"dedup-penalty-identical", tsdb::MergeKind::kPenaltyExact},
                                         DedupCase{"dedup-penalty-histograms", tsdb::MergeKind::kPenaltyExact},
                                         DedupCase{"dedup-onetoone-identical", tsdb::MergeKind::kChain},
                                         DedupCase{"dedup-onetoone-differing", tsdb::MergeKind::kChain},
                                         DedupCase{"dedup-onetoone-histograms", tsdb::MergeKind::kChain}),
                         [](const auto& info) {
                           std::string name = info.param.name;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace gauntlet::compactor
