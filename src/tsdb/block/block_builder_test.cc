#include "tsdb/block/block_builder.h"

#include <gtest/gtest.h>

#include <limits>

#include "io/fake_file_system.h"
#include "json/reader.h"
#include "tsdb/block/block.h"
#include "tsdb/chunkenc/testing/golden_chunks.h"

namespace gauntlet::tsdb {
namespace {

Labels LabelsOf(std::string_view json) {
  auto document = json::Document::Parse(json);
  EXPECT_TRUE(document.ok());
  std::vector<std::pair<std::string, std::string>> pairs;
  json::Value root = document->root();
  for (size_t i = 0; i < root.size(); ++i) pairs.emplace_back(root.key(i), *root[i].String());
  return Labels::From(pairs);
}

// Built from the recorded samples of a block, index and chunks are those that the real head wrote.
TEST(BlockBuilding, IndexAndChunksAreThoseOfTheHead) {
  if (GoldenFolder().empty()) GTEST_SKIP() << "no shared golden data";
  for (std::string name : {"float-2h", "many-2h"}) {
    BlockBuilder builder(7200000);
    Labels labels;
    Samples sample;
    for (const auto& line : GoldenLines("blocks/" + name + ".samples.txt.gz")) {
      if (line.starts_with("series ")) {
        labels = LabelsOf(std::string_view(line).substr(line.find('{')));
        continue;
      }
      sample.Clear();
      AppendSampleText(line, &sample);
      ASSERT_TRUE(builder.Append(labels, sample.times_ms[0], sample.values[0]).ok()) << line;
    }
    io::FakeFileSystem files;
    ASSERT_TRUE(files.MakeDirectories("data").ok());
    auto meta = builder.Write(files, "data", Ulid::Make(1));
    ASSERT_TRUE(meta.ok()) << meta.status().message();
    for (const char* file : {"index", "chunks/000001"}) {
      auto recorded = io::RealFileSystem().ReadFile(GoldenFolder() + "/blocks/" + name + "/" + file);
      auto written = files.ReadFile("data/" + meta->ulid.ToString() + "/" + file);
      EXPECT_TRUE(recorded.ok() && written.ok() && *recorded == *written) << name << "/" << file;
    }
  }
}

TEST(BlockBuilding, SamplesOutOfOrderAreRefused) {
  BlockBuilder builder(7200000);
  Labels labels = Labels::From({{"a", "1"}});
  ASSERT_TRUE(builder.Append(labels, 10, 1).ok());
  EXPECT_TRUE(builder.Append(labels, 10, 1).ok());
  EXPECT_EQ(builder.Append(labels, 10, 2).message(), "duplicate sample for timestamp");
  EXPECT_EQ(builder.Append(labels, 9, 1).message(), "out of order sample");
  EXPECT_TRUE(builder.Append(Labels::From({{"a", "2"}}), 9, 1).ok());
  io::FakeFileSystem files;
  ASSERT_TRUE(files.MakeDirectories("data").ok());
  auto meta = builder.Write(files, "data", Ulid::Make(1));
  ASSERT_TRUE(meta.ok());
  EXPECT_EQ(meta->mint_ms, 9);
  EXPECT_EQ(meta->maxt_ms, 11);
  EXPECT_EQ(meta->stats.samples, 2u);
  auto block = Block::Open(files, "data/" + meta->ulid.ToString());
  ASSERT_TRUE(block.ok());
  EXPECT_TRUE(VerifyBlock(**block, Cancel()).ok());
}

}  // namespace
}  // namespace gauntlet::tsdb
