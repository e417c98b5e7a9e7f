#include "storeapi/merge.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "storeapi/chunk_union.h"
#include "storeapi/testing/fake_store.h"

namespace gauntlet::storeapi {
namespace {

Status Ignore(uint32_t, const Status&) { return Status(); }

std::vector<std::unique_ptr<SeriesStream>> Streams(std::vector<std::vector<SeriesBatchPtr>> batches) {
  std::vector<std::unique_ptr<SeriesStream>> streams;
  for (auto& b : batches) streams.push_back(BatchStream(std::move(b)));
  return streams;
}

TEST(SeriesMerge, NoStreamsEndAtOnce) {
  SeriesMerge merge({}, Ignore);
  MergedSeries series;
  EXPECT_FALSE(*merge.Next(&series));
}

TEST(SeriesMerge, EqualLabelsComeTogetherBySource) {
  SeriesMerge merge(Streams({{MakeBatch({{MakeLabels({{"a", "1"}}), {{10, "x"}}}, {MakeLabels({{"a", "3"}}), {}}})},
                             {MakeBatch({{MakeLabels({{"a", "1"}}), {{12, "y"}}}, {MakeLabels({{"a", "2"}}), {}}})}}),
                    Ignore);
  MergedSeries series;
  ASSERT_TRUE(*merge.Next(&series));
  ASSERT_EQ(series.parts.size(), 2u);
  EXPECT_EQ(series.parts[0].source, 0u);
  EXPECT_EQ(series.parts[1].chunks()[0].data, "y");
  ASSERT_TRUE(*merge.Next(&series));
  EXPECT_EQ(series.labels.Get("a"), "2");
  ASSERT_TRUE(*merge.Next(&series));
  EXPECT_EQ(series.labels.Get("a"), "3");
  EXPECT_FALSE(*merge.Next(&series));
}

TEST(SeriesMerge, ASeriesInPiecesOverBatchesIsOne) {
  SeriesMerge merge(Streams({{MakeBatch({{MakeLabels({{"a", "1"}}), {{10, "x"}}}}),
                              MakeBatch({{MakeLabels({{"a", "1"}}), {{20, "y"}}}})}}),
                    Ignore);
  MergedSeries series;
  ASSERT_TRUE(*merge.Next(&series));
  ASSERT_EQ(series.parts.size(), 2u);
  EXPECT_EQ(series.parts[1].chunks()[0].min_time_ms, 20);
  EXPECT_FALSE(*merge.Next(&series));
}

TEST(SeriesMerge, RandomStreamsComeOutAsTheirUnion) {
  std::mt19937 rng(11);
  for (int round = 0; round < 100; ++round) {
    size_t sources = 1 + rng() % 9;
    std::map<std::string, size_t> expected;
    std::vector<std::vector<SeriesBatchPtr>> batches(sources);
    for (auto& source : batches) {
      std::vector<FakeSeries> own;
      for (int i = 0; i < 40; ++i) {
        if (rng() % 2) own.push_back({MakeLabels({{"n", std::to_string(100 + i).c_str()}}), {{i, "c"}}});
      }
      for (const auto& s : own) ++expected[s.labels.ToString()];
      for (size_t at = 0; at < own.size();) {
        size_t n = std::min<size_t>(1 + rng() % 7, own.size() - at);
        source.push_back(MakeBatch({own.begin() + at, own.begin() + at + n}));
        at += n;
      }
    }
    SeriesMerge merge(Streams(std::move(batches)), Ignore);
    MergedSeries series;
    auto at = expected.begin();
    while (*merge.Next(&series)) {
      ASSERT_NE(at, expected.end());
      EXPECT_EQ(series.labels.ToString(), at->first);
      EXPECT_EQ(series.parts.size(), at->second);
      ++at;
    }
    EXPECT_EQ(at, expected.end());
  }
}

TEST(SeriesMerge, AnErrorEndsTheSourceOrTheMergeAsTheCallerSays) {
  for (bool abort : {false, true}) {
    std::vector<std::unique_ptr<SeriesStream>> streams;
    streams.push_back(FailedStream(Status(Code::kUnavailable, "gone")));
    streams.push_back(BatchStream({MakeBatch({{MakeLabels({{"a", "1"}}), {}}})}));
    SeriesMerge merge(std::move(streams), [&](uint32_t source, const Status& status) {
      EXPECT_EQ(status.ok(), source == 1);
      return abort ? status : Status();
    });
    MergedSeries series;
    Result<bool> more = merge.Next(&series);
    EXPECT_EQ(more.ok(), !abort);
    if (!abort) {
      EXPECT_TRUE(*more);
      EXPECT_FALSE(*merge.Next(&series));
    }
  }
}

TEST(ChunkUnion, SortsByTimeAndDropsExactCopies) {
  SeriesBatchPtr a = MakeBatch({{MakeLabels({{"a", "1"}}), {{10, "x"}, {20, "y"}}}});
  SeriesBatchPtr b = MakeBatch({{MakeLabels({{"a", "1"}}), {{5, "w"}, {10, "x"}, {20, "other"}}}});
  std::vector<SeriesPart> parts = {{a, 0, 0}, {b, 0, 1}};
  ChunkUnion chunk_union;
  auto chunks = chunk_union.Of(parts);
  ASSERT_EQ(chunks.size(), 4u);
  EXPECT_EQ(chunks[0].data, "w");
  EXPECT_EQ(chunks[1].data, "x");
  EXPECT_EQ(chunks[2].data, "y");
  EXPECT_EQ(chunks[3].data, "other");
}

TEST(SeriesBatch, CountsTheBatchesItKeepsAlive) {
  auto big = std::make_shared<SeriesBatch>();
  big->frame()->assign(100'000, 'x');
  wire::ChunkView chunk;
  chunk.data = *big->frame();
  SeriesBatch batch;
  batch.Add(Labels::From({{"a", "b"}}), std::span(&chunk, 1));
  size_t alone = batch.memory_bytes();
  batch.KeepAlive(big);
  EXPECT_GE(batch.memory_bytes(), alone + 100'000);
  size_t once = batch.memory_bytes();
  batch.KeepAlive(big);
  EXPECT_EQ(batch.memory_bytes(), once);
}

}  // namespace
}  // namespace gauntlet::storeapi
