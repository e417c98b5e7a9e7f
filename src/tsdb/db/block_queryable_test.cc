#include "tsdb/db/block_queryable.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <random>
#include <set>

#include "io/fake_file_system.h"
#include "storage/memory_storage.h"
#include "tsdb/block/block_writer.h"
#include "tsdb/chunkenc/testing/golden_chunks.h"
#include "tsdb/chunkenc/transcode.h"

namespace gauntlet::tsdb {
namespace {

constexpr int64_t kMin = std::numeric_limits<int64_t>::min(), kMax = std::numeric_limits<int64_t>::max();

// A directory of blocks of floats, and the same samples in memory.
class BlocksInADirectory : public ::testing::Test {
 protected:
  using Series = std::map<Labels, std::map<int64_t, double>>;

  BlocksInADirectory() { EXPECT_TRUE(files_.MakeDirectories("data").ok()); }

  std::string Write(const Series& series, const Tombstones& stones = {}, std::vector<BlockParent> parents = {}) {
    BlockMeta meta;
    meta.ulid = Ulid::Make(++made_);
    meta.compaction.parents = std::move(parents);
    std::set<std::string> symbols;
    meta.mint_ms = kMax;
    meta.maxt_ms = kMin;
    for (const auto& [labels, samples] : series) {
      for (const Label& label : labels) {
        symbols.emplace(label.name);
        symbols.emplace(label.value);
      }
      meta.mint_ms = std::min(meta.mint_ms, samples.begin()->first);
      meta.maxt_ms = std::max(meta.maxt_ms, samples.rbegin()->first + 1);
    }
    auto writer = BlockWriter::Create(files_, "data", meta);
    EXPECT_TRUE(writer.ok());
    for (const auto& symbol : symbols) EXPECT_TRUE((*writer)->AddSymbol(symbol).ok());
    for (const auto& [labels, samples] : series) {
      Samples columns;
      for (auto [t, v] : samples) {
        columns.times_ms.push_back(t);
        columns.values.push_back(v);
      }
      std::vector<EncodedChunk> chunks;
      EncodeSamples(columns, 5, &chunks);
      std::vector<BlockChunk> parts;
      for (const auto& chunk : chunks) parts.push_back({chunk.mint_ms, chunk.maxt_ms, chunk.view()});
      EXPECT_TRUE((*writer)->AddSeries(labels, parts).ok());
    }
    EXPECT_TRUE((*writer)->Finish(stones).ok());
    return meta.ulid.ToString();
  }
  // Labels as text, then samples.
  using Answer = std::map<std::string, std::vector<std::pair<int64_t, double>>>;
  static Answer Ask(storage::Queryable& source, int64_t mint, int64_t maxt, const Matchers& matchers) {
    Answer answer;
    auto querier = source.MakeQuerier(mint, maxt);
    EXPECT_TRUE(querier.ok());
    storage::SelectHints hints;
    hints.start_ms = mint;
    hints.end_ms = maxt;
    auto set = (*querier)->Select(hints, matchers, Cancel(), nullptr);
    std::string last;
    for (;;) {
      auto series = set->Next();
      EXPECT_TRUE(series.ok()) << series.status().message();
      if (!series.ok() || *series == nullptr) return answer;
      Samples samples;
      EXPECT_TRUE((*series)->Read(&samples).ok());
      if (samples.size() == 0) continue;  // chunks that overlap without a sample in the range
      EXPECT_LT(CompareLabels(LabelsView(last), (*series)->labels()), 0);
      last = (*series)->labels().packed();
      auto& got = answer[(*series)->labels().ToString()];
      for (size_t i = 0; i < samples.size(); ++i) got.emplace_back(samples.times_ms[i], samples.values[i]);
    }
  }

  io::FakeFileSystem files_;
  BlockDirectory directory_{files_, "data"};
  BlockQueryable blocks_{directory_};
  int64_t made_ = 0;
};

TEST_F(BlocksInADirectory, AgreeWithTheSamplesInMemory) {
  std::mt19937 random(9);
  for (int round = 0; round < 20; ++round) {
    io::FakeFileSystem files;
    ASSERT_TRUE(files_.RemoveAll("data").ok() && files_.MakeDirectories("data").ok());
    storage::MemoryStorage memory;
    for (int b = 0; b < 5; ++b) {
      Series series;
      int64_t begin = static_cast<int64_t>(random() % 500);
      for (int s = 0; s < 12; ++s) {
        Labels labels = Labels::From({{"s", std::to_string(random() % 20)}, {"z", "1"}});
        for (int i = 0; i < 15; ++i) {
          // The value follows from series and time: where blocks overlap they agree, or one has what the other has not.
          int64_t t = begin + static_cast<int64_t>(random() % 300);
          double v = static_cast<double>(t) + std::stod(std::string(labels.Get("s"))) * 1000;
          series[labels][t] = v;
        }
      }
      for (const auto& [labels, samples] : series) {
        for (auto [t, v] : samples) memory.Append(labels, t, v);
      }
      Write(series);
    }
    ASSERT_TRUE(directory_.Refresh(nullptr).ok());
    ASSERT_EQ(directory_.blocks()->size(), 5u);
    for (int i = 0; i < 20; ++i) {
      int64_t mint = static_cast<int64_t>(random() % 800), maxt = mint + static_cast<int64_t>(random() % 400);
      Matchers matchers;
      if (i % 2 == 0) matchers.push_back(*Matcher::Make(MatchType::kRegexp, "s", "1.*|7"));
      EXPECT_EQ(Ask(blocks_, mint, maxt, matchers), Ask(memory, mint, maxt, matchers));
    }
    auto ours = *blocks_.MakeQuerier(kMin, kMax), theirs = *memory.MakeQuerier(kMin, kMax);
    Matchers some = {*Matcher::Make(MatchType::kRegexp, "s", "1.")};
    for (int64_t limit : {0, 1, 3}) {
      EXPECT_EQ(ours->LabelValues("s", {}, limit, Cancel())->values,
                theirs->LabelValues("s", {}, limit, Cancel())->values);
      EXPECT_EQ(ours->LabelValues("z", some, limit, Cancel())->values,
                theirs->LabelValues("z", some, limit, Cancel())->values);
      EXPECT_EQ(ours->LabelNames(some, limit, Cancel())->values, theirs->LabelNames(some, limit, Cancel())->values);
    }
  }
}

TEST_F(BlocksInADirectory, DeletedSamplesStayDeletedWhereAnotherBlockHasNone) {
  Labels labels = Labels::From({{"a", "1"}});
  std::string ulid = Write({{labels, {{1, 1}, {2, 2}, {3, 3}, {4, 4}}}});
  auto block = Block::Open(files_, "data/" + ulid);
  Tombstones stones;
  stones.Add((*(*block)->index().AllPostings())[0], {2, 3});
  ASSERT_TRUE(directory_.Refresh(nullptr).ok());
  EXPECT_EQ(Ask(blocks_, 0, 9, {})[R"({a="1"})"].size(), 4u);
  ASSERT_TRUE(files_.WriteAtomically("data/" + ulid + "/tombstones", stones.Format()).ok());
  ASSERT_TRUE(directory_.Refresh(nullptr).ok());
  EXPECT_EQ(Ask(blocks_, 0, 9, {}), (Answer{{R"({a="1"})", {{1, 1}, {4, 4}}}}));
}

TEST_F(BlocksInADirectory, AQuerierKeepsItsBlocksWhenTheyGo) {
  Labels labels = Labels::From({{"a", "1"}});
  std::string ulid = Write({{labels, {{1, 1}, {2, 2}}}});
  ASSERT_TRUE(directory_.Refresh(nullptr).ok());
  auto querier = *blocks_.MakeQuerier(0, 9);
  ASSERT_TRUE(files_.RemoveAll("data/" + ulid).ok());
  ASSERT_TRUE(directory_.Refresh(nullptr).ok());
  EXPECT_TRUE(directory_.blocks()->empty());
  storage::SelectHints hints;
  hints.end_ms = 9;
  auto series = querier->Select(hints, {}, Cancel(), nullptr)->Next();
  ASSERT_TRUE(series.ok() && *series != nullptr);
  Samples samples;
  ASSERT_TRUE((*series)->Read(&samples).ok());
  EXPECT_EQ(samples.size(), 2u);
}

TEST_F(BlocksInADirectory, ParentsOfABlockAndBrokenOnesAreLeftOut) {
  Labels labels = Labels::From({{"a", "1"}});
  std::string parent = Write({{labels, {{1, 1}}}});
  Write({{labels, {{1, 1}}}}, {}, {{*Ulid::Parse(parent), 0, 2}});
  std::string broken = Write({{labels, {{5, 5}}}});
  ASSERT_TRUE(files_.RemoveFile("data/" + broken + "/index").ok());
  ASSERT_TRUE(files_.MakeDirectories("data/wal").ok());
  ASSERT_TRUE(files_.MakeDirectories("data/01KE71A6NAEME8ZS7DDWKWEQAP.tmp-for-creation").ok());
  std::vector<BlockDirectory::Problem> problems;
  ASSERT_TRUE(directory_.Refresh(&problems).ok());
  EXPECT_EQ(directory_.blocks()->size(), 1u);
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].name, broken);
}

TEST_F(BlocksInADirectory, ACancelEndsASelect) {
  Series series;
  for (int i = 0; i < 1000; ++i) series[Labels::From({{"a", std::to_string(i)}})] = {{1, 1}};
  Write(series);
  ASSERT_TRUE(directory_.Refresh(nullptr).ok());
  CancelSource source;
  auto querier = *blocks_.MakeQuerier(0, 9);
  storage::SelectHints hints;
  hints.end_ms = 9;
  auto set = querier->Select(hints, {}, source.cancel(), nullptr);
  ASSERT_TRUE(set->Next().ok());
  source.Stop();
  Status st;
  for (int i = 0; i < 1000 && st.ok(); ++i) st = set->Next().status();
  EXPECT_EQ(st.code(), Code::kCancelled);
}

TEST(GoldenDirectory, InOrderAndOutOfOrderBlocksReadAsTheMergedOne) {
  if (GoldenFolder().empty()) GTEST_SKIP() << "no shared golden data";
  auto open = [](const std::string& name) {
    auto block = Block::Open(io::RealFileSystem(), GoldenFolder() + "/blocks/" + name);
    EXPECT_TRUE(block.ok()) << block.status().message();
    return *block;
  };
  auto parts = std::make_shared<BlockList>(BlockList{open("ooo-inorder-part"), open("ooo")});
  auto whole = std::make_shared<BlockList>(BlockList{open("ooo-merged")});
  auto a = MakeBlockQuerier(parts, kMin, kMax), b = MakeBlockQuerier(whole, kMin, kMax);
  storage::SelectHints hints;
  hints.start_ms = kMin;
  hints.end_ms = kMax;
  auto ours = a->Select(hints, {}, Cancel(), nullptr), theirs = b->Select(hints, {}, Cancel(), nullptr);
  size_t series = 0;
  for (;; ++series) {
    auto x = ours->Next(), y = theirs->Next();
    ASSERT_TRUE(x.ok() && y.ok());
    ASSERT_EQ(*x == nullptr, *y == nullptr);
    if (*x == nullptr) break;
    EXPECT_EQ((*x)->labels().ToString(), (*y)->labels().ToString());
    Samples left, right;
    ASSERT_TRUE((*x)->Read(&left).ok() && (*y)->Read(&right).ok());
    EXPECT_EQ(left.times_ms, right.times_ms);
    ASSERT_EQ(left.histograms.size(), right.histograms.size());
  }
  EXPECT_GT(series, 20u);
}

}  // namespace
}  // namespace gauntlet::tsdb
