// Recorded merges: the same index and chunks, byte for byte, and the same meta.

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "io/fake_file_system.h"
#include "io/file_system.h"
#include "io/path.h"
#include "tsdb/block/block.h"
#include "tsdb/chunkenc/testing/golden_chunks.h"
#include "tsdb/compact/compacted_meta.h"
#include "tsdb/compact/compaction.h"

namespace gauntlet::tsdb {
namespace {

struct Case {
  const char* name;
  int blocks;
  MergeKind kind;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class GoldenCompaction : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (GoldenFolder().empty()) GTEST_SKIP() << "no shared golden data";
  }
  static std::string Folder(const std::string& path) {
    return GoldenFolder() + "/compact/" + GetParam().name + "/" + path;
  }
  static std::string Read(const std::string& path) {
    auto bytes = io::RealFileSystem().ReadFile(path);
    EXPECT_TRUE(bytes.ok()) << path;
    return bytes.ok() ? *bytes : "";
  }

  // Opens the inputs in their order, or turned round.
  void OpenInputs(bool reversed) {
    sources_.clear();
    metas_.clear();
    for (int i = 0; i < GetParam().blocks; ++i) {
      int number = reversed ? GetParam().blocks - 1 - i : i;
      auto block = Block::Open(io::RealFileSystem(), Folder("in/b" + std::to_string(number)));
      ASSERT_TRUE(block.ok()) << block.status().message();
      metas_.push_back((*block)->meta());
      sources_.push_back(std::make_unique<LocalBlockSource>(*block));
    }
  }

  Result<std::optional<BlockMeta>> Compact(const CompactOptions& options) {
    std::vector<const BlockMeta*> metas;
    for (const BlockMeta& meta : metas_) metas.push_back(&meta);
    GN_TRY(files_.RemoveAll("data"));
    GN_TRY(files_.MakeDirectories("data"));
    GN_ASSIGN(auto sink, LocalBlockSink::Create(files_, "data", CompactedMeta(metas, Ulid())));
    return CompactBlocks(sources_, options, *sink, Cancel());
  }

  void ExpectGoldenFiles() {
    std::string made = "data/" + Ulid().ToString();
    EXPECT_TRUE(*files_.ReadFile(made + "/index") == Read(Folder("out/block/index"))) << "index";
    auto segments = io::RealFileSystem().List(Folder("out/block/chunks"));
    ASSERT_TRUE(segments.ok());
    ASSERT_EQ(files_.List(made + "/chunks")->size(), segments->size());
    for (const io::FileInfo& segment : *segments) {
      EXPECT_TRUE(*files_.ReadFile(made + "/chunks/" + segment.name) ==
                  Read(Folder("out/block/chunks/" + segment.name)))
          << segment.name;
    }
  }

  io::FakeFileSystem files_;
  std::vector<std::unique_ptr<BlockSource>> sources_;
  std::vector<BlockMeta> metas_;
};

INSTANTIATE_TEST_SUITE_P(
    Cases, GoldenCompaction,
    ::testing::Values(Case{"adjacent", 3, MergeKind::kChain}, Case{"overlap-identical", 3, MergeKind::kChain},
                      Case{"overlap-differing", 2, MergeKind::kChain}, Case{"tombstones", 2, MergeKind::kChain},
                      Case{"histograms-adjacent", 2, MergeKind::kChain},
                      Case{"histograms-overlap", 2, MergeKind::kChain}, Case{"st-xor2-adjacent", 2, MergeKind::kChain},
                      Case{"dedup-onetoone-identical", 2, MergeKind::kChain},
                      Case{"dedup-onetoone-differing", 2, MergeKind::kChain},
                      Case{"dedup-onetoone-histograms", 2, MergeKind::kChain},
                      Case{"dedup-penalty", 2, MergeKind::kPenaltyExact},
                      Case{"dedup-penalty-identical", 2, MergeKind::kPenaltyExact},
                      Case{"dedup-penalty-histograms", 2, MergeKind::kPenaltyExact}),
    [](const ::testing::TestParamInfo<Case>& param) {
      std::string name = param.param.name;
      std::replace(name.begin(), name.end(), '-', '_');
      return name;
    });

TEST_P(GoldenCompaction, MakesTheRecordedBytesAndMeta) {
  ASSERT_NO_FATAL_FAILURE(OpenInputs(false));
  auto meta = Compact({.kind = GetParam().kind});
  ASSERT_TRUE(meta.ok()) << meta.status().message();
  ASSERT_TRUE(meta->has_value());
  ExpectGoldenFiles();
  auto golden = ParseBlockMeta(Read(Folder("out/block/meta.json")));
  ASSERT_TRUE(golden.ok());
  golden->ulid = (*meta)->ulid;
  if (!golden->extra("thanos").empty()) {  // of equal start there, in an order by chance
    std::sort(golden->compaction.parents.begin(), golden->compaction.parents.end(),
              [](const BlockParent& a, const BlockParent& b) { return a.ulid < b.ulid; });
    std::sort((*meta)->compaction.parents.begin(), (*meta)->compaction.parents.end(),
              [](const BlockParent& a, const BlockParent& b) { return a.ulid < b.ulid; });
    golden->more.clear();
  }
  EXPECT_EQ(FormatBlockMeta(**meta), FormatBlockMeta(*golden));
}

TEST_P(GoldenCompaction, MergedSideBySideTheBytesAreTheSame) {
  ASSERT_NO_FATAL_FAILURE(OpenInputs(false));
  ThreadPool pool("compact", 3);
  auto meta = Compact({.kind = GetParam().kind, .executor = &pool});
  ASSERT_TRUE(meta.ok()) << meta.status().message();
  ExpectGoldenFiles();
}

// Ours, where Thanos is left with 3,222 of the 3,240 samples that both replicas have.
class GoldenPenalty : public GoldenCompaction {};
INSTANTIATE_TEST_SUITE_P(Cases, GoldenPenalty,
                         ::testing::Values(Case{"dedup-penalty-identical", 2, MergeKind::kPenalty}));

TEST_P(GoldenPenalty, KeepsEverySampleOfIdenticalReplicas) {
  ASSERT_NO_FATAL_FAILURE(OpenInputs(false));
  auto meta = Compact({.kind = MergeKind::kPenalty});
  ASSERT_TRUE(meta.ok()) << meta.status().message();
  EXPECT_EQ((*meta)->stats.samples, 3240u);
  auto whole = Block::Open(io::RealFileSystem(), Folder("in/b0")),
       made = Block::Open(files_, "data/" + Ulid().ToString());
  ASSERT_TRUE(whole.ok() && made.ok());
  EXPECT_TRUE(VerifyBlock(**made, Cancel()).ok());
  BlockSeries want(**whole, *(*whole)->Select({}, Cancel()), INT64_MIN, INT64_MAX);
  BlockSeries got(**made, *(*made)->Select({}, Cancel()), INT64_MIN, INT64_MAX);
  while (*want.Next()) {
    ASSERT_TRUE(*got.Next());
    EXPECT_EQ(got.labels(), want.labels());
    Samples a, b;
    ASSERT_TRUE(ReadSamples(**whole, want.chunks(), want.deleted(), INT64_MIN, INT64_MAX, &a).ok());
    ASSERT_TRUE(ReadSamples(**made, got.chunks(), got.deleted(), INT64_MIN, INT64_MAX, &b).ok());
    ASSERT_EQ(b.size(), a.size());
    for (size_t i = 0; i < a.size(); ++i) ASSERT_EQ(SampleText(b, i), SampleText(a, i));
  }
}

class GoldenAllDeleted : public GoldenCompaction {};
INSTANTIATE_TEST_SUITE_P(Cases, GoldenAllDeleted,
                         ::testing::Values(Case{"tombstones-all-deleted", 1, MergeKind::kChain}));

TEST_P(GoldenAllDeleted, MakesNoBlock) {
  ASSERT_NO_FATAL_FAILURE(OpenInputs(false));
  auto meta = Compact({});
  ASSERT_TRUE(meta.ok()) << meta.status().message();
  EXPECT_FALSE(meta->has_value());
  EXPECT_TRUE(files_.List("data")->empty());
}

}  // namespace
}  // namespace gauntlet::tsdb
