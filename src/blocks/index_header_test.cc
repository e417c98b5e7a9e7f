#include "blocks/index_header.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "io/fake_file_system.h"
#include "json/reader.h"
#include "tsdb/chunkenc/testing/golden_chunks.h"
#include "tsdb/index/index_reader.h"
#include "tsdb/index/series.h"

namespace gauntlet::blocks {
namespace {

std::string ReadGolden(const std::string& path) {
  auto bytes = io::RealFileSystem().ReadFile(tsdb::GoldenFolder() + "/" + path);
  EXPECT_TRUE(bytes.ok()) << path;
  return bytes.ok() ? *bytes : "";
}

ReadRange RangesOf(const std::string& index) {
  return [&index](uint64_t offset, uint64_t n) -> Result<std::string> { return index.substr(offset, n); };
}

class IndexHeaderGolden : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (tsdb::GoldenFolder().empty()) GTEST_SKIP() << "no shared golden data";
    index_ = ReadGolden(std::string("blocks/") + GetParam() + "/index");
    recorded_ = ReadGolden(std::string("index-header/") + GetParam());
  }
  std::unique_ptr<IndexHeader> OpenBytes(std::string bytes) {
    auto header = IndexHeader::FromFile(std::make_unique<io::MappedFile>(std::move(bytes)));
    return header.ok() ? std::move(*header) : nullptr;
  }

  std::string index_, recorded_;
};
INSTANTIATE_TEST_SUITE_P(Blocks, IndexHeaderGolden,
                         ::testing::Values("float-2h", "hist-2h", "index-v1", "many-2h", "multi-segment", "ooo",
                                           "ooo-inorder-part", "ooo-merged", "st-xor2-2h", "tombstones"),
                         [](const auto& block) {
                           std::string name = block.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST_P(IndexHeaderGolden, WrittenAsRecorded) {
  io::FakeFileSystem files;
  ASSERT_TRUE(files.MakeDirectories("d").ok());
  Status st = WriteIndexHeader(index_.size(), RangesOf(index_), files, "d/index-header");
  ASSERT_TRUE(st.ok()) << st.message();
  EXPECT_TRUE(*files.ReadFile("d/index-header") == recorded_);
  EXPECT_EQ(files.List("d")->size(), 1u);
}

TEST_P(IndexHeaderGolden, RangesAreThoseThatThanosAnswers) {
  auto header = OpenBytes(recorded_);
  ASSERT_NE(header, nullptr);
  size_t checked = 0;
  for (const auto& line : tsdb::GoldenLines(std::string("index-header/") + GetParam() + ".postings-ranges.txt.gz")) {
    if (line.starts_with("#")) continue;
    const std::vector<std::string> words = tsdb::GoldenColumns(line);
    auto pair = json::Document::Parse("[" + words[0] + "," + words[1] + "]");
    ASSERT_TRUE(pair.ok()) << line;
    std::string_view name = *pair->root()[0].String();
    tsdb::PostingsRange range = header->table().all();
    if (!name.empty()) {
      ASSERT_TRUE(header->table().Find(name, *pair->root()[1].String(), &range)) << line;
    }
    // Thanos' ranges are without length and checksum.
    EXPECT_EQ(std::to_string(range.begin + 4), words[2]) << line;
    EXPECT_EQ(std::to_string(range.end - 4), words[3]) << line;
    ++checked;
  }
  EXPECT_GT(checked, 3u);
}

TEST_P(IndexHeaderGolden, SeriesReadThroughTheHeaderAreThoseOfTheIndex) {
  auto header = OpenBytes(recorded_);
  ASSERT_NE(header, nullptr);
  auto reader = tsdb::IndexReader::FromFile(std::make_unique<io::MappedFile>(index_));
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ(header->index_version(), (*reader)->version());
  EXPECT_EQ(header->symbols().size(), (*reader)->symbols().size());
  tsdb::PostingsRange all = header->table().all();
  auto list = tsdb::PostingsList::Parse(index_.substr(all.begin, all.end - all.begin));
  ASSERT_TRUE(list.ok()) << list.status().message();
  std::string bytes = index_.substr(all.begin, all.end - all.begin);
  list = tsdb::PostingsList::Parse(bytes);
  tsdb::SeriesDecoder by_header(header->symbols()), by_index((*reader)->symbols());
  tsdb::SeriesEntry a, b;
  for (size_t i = 0; i < list->size(); ++i) {
    uint64_t offset = tsdb::SeriesOffset(header->index_version(), (*list)[i]);
    ASSERT_TRUE(by_header.Decode(std::string_view(index_).substr(offset), &a).ok());
    ASSERT_TRUE(by_index.Decode((*reader)->SeriesBytes((*list)[i]), &b).ok());
    EXPECT_EQ(a.packed_labels, b.packed_labels);
  }
}

TEST_P(IndexHeaderGolden, CutAndFlippedIsAnErrorOrTheSame) {
  auto digest = [](const IndexHeader& header) {
    std::string text = std::to_string(header.index_version());
    std::string_view symbol;
    for (tsdb::SymbolTable::Cursor symbols(header.symbols()); symbols.Next(&symbol);) text.append(symbol);
    for (const auto& name : header.table().names()) {
      for (auto values = header.table().ValuesOf(name.name); values.Next();) {
        text.append(values.value()).append(std::to_string(values.range().begin));
      }
    }
    return text;
  };
  std::string right = digest(*OpenBytes(recorded_));
  std::mt19937_64 random(5);
  size_t rounds = std::min<size_t>(600, 20000000 / recorded_.size());
  for (size_t i = 0; i < rounds; ++i) {
    size_t cut = recorded_.size() < rounds ? i % recorded_.size() : random() % recorded_.size();
    EXPECT_EQ(OpenBytes(recorded_.substr(0, cut)), nullptr) << cut;
    std::string flipped = recorded_;
    size_t bit = random() % (flipped.size() * 8);
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    auto header = OpenBytes(flipped);
    if (header != nullptr && (flipped[5] == recorded_[5])) {
      EXPECT_TRUE(digest(*header) == right) << bit;
    }
  }
}

TEST(IndexHeader, FailuresLeaveNoFile) {
  if (tsdb::GoldenFolder().empty()) GTEST_SKIP() << "no shared golden data";
  std::string index = ReadGolden("blocks/hist-2h/index");
  for (int64_t call = 1; call < 20; ++call) {
    io::FakeFileSystem files;
    ASSERT_TRUE(files.MakeDirectories("d").ok());
    files.FailCall(call, Status(Code::kUnavailable, "disk"));
    Status st = WriteIndexHeader(index.size(), RangesOf(index), files, "d/index-header");
    bool reached = files.calls() > call;
    files.FailNone();
    if (!st.ok()) {
      EXPECT_FALSE(files.Exists("d/index-header.tmp")) << call;
    }
    if (!reached) break;
  }
  io::FakeFileSystem files;
  ASSERT_TRUE(files.MakeDirectories("d").ok());
  auto broken = [](uint64_t, uint64_t) -> Result<std::string> { return Status(Code::kUnavailable, "bucket"); };
  EXPECT_EQ(WriteIndexHeader(index.size(), broken, files, "d/index-header").code(), Code::kUnavailable);
  EXPECT_TRUE(files.List("d")->empty());
}

}  // namespace
}  // namespace gauntlet::blocks
