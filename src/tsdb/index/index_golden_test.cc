// The indexes of recorded blocks: all that was recorded of them reads so, and rewritten they have the same bytes.

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "io/fake_file_system.h"
#include "io/path.h"
#include "io/sha256.h"
#include "json/reader.h"
#include "json/writer.h"
#include "tsdb/chunkenc/testing/golden_chunks.h"
#include "tsdb/index/index_reader.h"
#include "tsdb/index/index_writer.h"

namespace gauntlet::tsdb {
namespace {

const char* const kBlocks[] = {"float-2h",         "hist-2h",    "st-xor2-2h", "many-2h",       "ooo",
                               "ooo-inorder-part", "ooo-merged", "tombstones", "multi-segment", "index-v1"};

std::string IndexPath(const std::string& block) { return GoldenFolder() + "/blocks/" + block + "/index"; }

std::unique_ptr<IndexReader> OpenGolden(const std::string& block) {
  auto reader = IndexReader::Open(io::RealFileSystem(), IndexPath(block));
  EXPECT_TRUE(reader.ok()) << reader.status().message();
  return reader.ok() ? std::move(*reader) : nullptr;
}

std::string LabelsJson(LabelsView labels) {
  std::string text;
  json::Writer writer(&text);
  writer.BeginObject();
  for (const Label& label : labels) writer.Key(label.name).PlainString(label.value);
  writer.EndObject();
  return text;
}

// A JSON object of strings, written again in one form.
std::string Normalized(json::Value object) {
  std::string text;
  json::Writer writer(&text);
  writer.BeginObject();
  for (size_t i = 0; i < object.size(); ++i) writer.Key(object.key(i)).PlainString(object[i].String().value_or(""));
  writer.EndObject();
  return text;
}

class IndexGolden : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (GoldenFolder().empty()) GTEST_SKIP() << "no shared golden data";
  }
};
INSTANTIATE_TEST_SUITE_P(Blocks, IndexGolden, ::testing::ValuesIn(kBlocks), [](const auto& block) {
  std::string name = block.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST_P(IndexGolden, SeriesReadAsRecorded) {
  auto reader = OpenGolden(GetParam());
  auto ids = reader->AllPostings();
  ASSERT_TRUE(ids.ok());
  auto lines = GoldenLines(std::string("blocks/") + GetParam() + ".series.jsonl.gz");
  ASSERT_EQ(ids->size(), lines.size());
  SeriesDecoder decoder(reader->symbols());
  SeriesEntry entry;
  for (size_t i = 0; i < lines.size(); ++i) {
    auto recorded = json::Document::Parse(lines[i]);
    ASSERT_TRUE(recorded.ok());
    EXPECT_EQ((*ids)[i], recorded->root().Get("ref").Uint());
    ASSERT_TRUE(decoder.Decode(reader->SeriesBytes((*ids)[i]), &entry).ok());
    EXPECT_EQ(LabelsJson(entry.labels()), Normalized(recorded->root().Get("labels")));
    json::Value chunks = recorded->root().Get("chunks");
    ASSERT_EQ(entry.chunks.size(), chunks.size());
    for (size_t c = 0; c < chunks.size(); ++c) {
      ChunkMeta expected{*chunks[c].Get("mint").Int(), *chunks[c].Get("maxt").Int(), *chunks[c].Get("ref").Uint()};
      EXPECT_TRUE(entry.chunks[c] == expected) << lines[i];
    }
  }
}

TEST_P(IndexGolden, PostingsReadAsRecorded) {
  auto reader = OpenGolden(GetParam());
  std::map<std::string, uint32_t> values;
  for (const auto& line : GoldenLines(std::string("blocks/") + GetParam() + ".postings.txt.gz")) {
    const std::vector<std::string> words = GoldenColumns(line);
    auto pair = json::Document::Parse("[" + words[0] + "," + words[1] + "]");
    ASSERT_TRUE(pair.ok()) << line;
    std::string name(*pair->root()[0].String());
    auto list = reader->Postings(name, *pair->root()[1].String());
    ASSERT_TRUE(list.ok()) << line;
    EXPECT_EQ(std::to_string(list->size()), words[2]) << line;
    EXPECT_EQ(io::Sha256Hex(list->bytes()), words[5]) << line;
    if (!name.empty()) ++values[name];
  }
  std::map<std::string, uint32_t> got;
  for (const auto& [name, count] : reader->table().names()) {
    got[std::string(name)] = count;
    uint32_t walked = 0;
    for (auto cursor = reader->table().ValuesOf(name); cursor.Next();) ++walked;
    EXPECT_EQ(walked, count) << name;
  }
  if (!values.empty()) {
    EXPECT_EQ(got, values);
  }
}

TEST_P(IndexGolden, RewrittenHasTheSameBytes) {
  if (GetParam() == std::string("index-v1")) GTEST_SKIP() << "version 1 is not written";
  auto reader = OpenGolden(GetParam());
  io::FakeFileSystem files;
  auto writer = IndexWriter::Create(files, "index");
  ASSERT_TRUE(writer.ok());
  std::string_view symbol;
  for (SymbolTable::Cursor symbols(reader->symbols()); symbols.Next(&symbol);) {
    ASSERT_TRUE((*writer)->AddSymbol(symbol).ok());
  }
  SeriesDecoder decoder(reader->symbols());
  SeriesEntry entry;
  auto ids = reader->AllPostings();
  for (size_t i = 0; i < ids->size(); ++i) {
    ASSERT_TRUE(decoder.Decode(reader->SeriesBytes((*ids)[i]), &entry).ok());
    Status st = (*writer)->AddSeries(entry.labels(), entry.chunks);
    ASSERT_TRUE(st.ok()) << st.message();
  }
  ASSERT_TRUE((*writer)->Finish().ok());
  EXPECT_EQ((*writer)->bytes(), reader->bytes().size());
  EXPECT_TRUE(files.ReadFile("index").ok() && *files.ReadFile("index") == reader->bytes());
}

}  // namespace
}  // namespace gauntlet::tsdb
