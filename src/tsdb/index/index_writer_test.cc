#include "tsdb/index/index_writer.h"

#include <gtest/gtest.h>

#include "io/fake_file_system.h"
#include "tsdb/index/index_reader.h"

namespace gauntlet::tsdb {
namespace {

class IndexWriting : public ::testing::Test {
 protected:
  std::unique_ptr<IndexWriter> Make(const std::vector<std::string>& symbols) {
    auto writer = IndexWriter::Create(files_, "index");
    EXPECT_TRUE(writer.ok());
    for (const auto& symbol : symbols) EXPECT_TRUE((*writer)->AddSymbol(symbol).ok());
    return std::move(*writer);
  }
  io::FakeFileSystem files_;
};

TEST_F(IndexWriting, AnEmptyIndexHasAnEmptyListOfAll) {
  auto writer = Make({});
  ASSERT_TRUE(writer->Finish().ok());
  auto reader = IndexReader::Open(files_, "index");
  ASSERT_TRUE(reader.ok()) << reader.status().message();
  EXPECT_EQ((*reader)->AllPostings()->size(), 0u);
  EXPECT_TRUE((*reader)->table().names().empty());
}

TEST_F(IndexWriting, RefusesWhatIsOutOfOrder) {
  auto writer = Make({"a", "b"});
  EXPECT_EQ(writer->AddSymbol("b").code(), Code::kInvalid);
  Labels first = Labels::From({{"a", "a"}}), second = Labels::From({{"a", "b"}});
  ASSERT_TRUE(writer->AddSeries(second, std::vector<ChunkMeta>{{0, 5, 100}}).ok());
  EXPECT_EQ(writer->AddSymbol("c").code(), Code::kInvalid);
  EXPECT_EQ(writer->AddSeries(second, {}).code(), Code::kInvalid);
  EXPECT_EQ(writer->AddSeries(first, {}).code(), Code::kInvalid);
  Labels third = Labels::From({{"b", "a"}});
  EXPECT_EQ(writer->AddSeries(third, std::vector<ChunkMeta>{{0, 5, 99}}).code(), Code::kInvalid);
  EXPECT_EQ(writer->AddSeries(third, std::vector<ChunkMeta>{{0, 5, 200}, {5, 6, 201}}).code(), Code::kInvalid);
  EXPECT_EQ(writer->AddSeries(third, std::vector<ChunkMeta>{{7, 6, 200}}).code(), Code::kInvalid);
  EXPECT_EQ(writer->AddSeries(Labels::From({{"c", "a"}}), {}).code(), Code::kInvalid);
}

TEST_F(IndexWriting, ManySymbolsAndSeriesComeBack) {
  std::vector<std::string> symbols = {"i"};
  std::vector<Labels> series;
  for (int i = 0; i < 20000; ++i) {
    std::string value = "v" + std::to_string(100000 + i) + std::string(static_cast<size_t>(i % 50), 'x');
    symbols.push_back(value);
    series.push_back(Labels::From({{"i", value}}));
  }
  auto writer = Make(symbols);
  std::vector<ChunkMeta> chunks = {{-5, 7, 8}, {9, 9, 100}, {20, 1000, 1 << 20}};
  for (const Labels& labels : series) {
    ASSERT_TRUE(writer->AddSeries(labels, chunks).ok());
    for (auto& chunk : chunks) chunk.ref += 2 << 20;
  }
  ASSERT_TRUE(writer->Finish().ok());
  auto reader = IndexReader::Open(files_, "index");
  ASSERT_TRUE(reader.ok()) << reader.status().message();
  EXPECT_EQ((*reader)->symbols().size(), symbols.size());
  std::string_view symbol;
  for (uint32_t i = 0; i < symbols.size(); ++i) {
    ASSERT_TRUE((*reader)->symbols().Lookup(i, &symbol));
    ASSERT_EQ(symbol, symbols[i]);
  }
  EXPECT_FALSE((*reader)->symbols().Lookup(static_cast<uint32_t>(symbols.size()), &symbol));
  SeriesDecoder decoder((*reader)->symbols());
  SeriesEntry entry;
  for (size_t i = 0; i < series.size(); i += 97) {
    auto list = (*reader)->Postings("i", series[i].Get("i"));
    ASSERT_EQ(list->size(), 1u);
    ASSERT_TRUE(decoder.Decode((*reader)->SeriesBytes((*list)[0]), &entry).ok());
    EXPECT_EQ(Labels(entry.labels()), series[i]);
    EXPECT_EQ(entry.chunks[1].ref, 100 + i * (2 << 20));
  }
}

TEST_F(IndexWriting, DecodesOnlyWhatOverlaps) {
  std::string bytes;
  AppendSeriesEntry(std::vector<uint32_t>{}, std::vector<ChunkMeta>{{0, 10, 1}, {20, 30, 2}, {40, 50, 3}}, &bytes);
  SymbolTable none;
  SeriesDecoder decoder(none);
  SeriesEntry entry;
  auto refs = [&](int64_t mint, int64_t maxt) {
    EXPECT_TRUE(decoder.DecodeOverlapping(bytes, mint, maxt, &entry).ok());
    std::vector<uint64_t> got;
    for (const auto& chunk : entry.chunks) got.push_back(chunk.ref);
    return got;
  };
  EXPECT_EQ(refs(10, 20), (std::vector<uint64_t>{1, 2}));
  EXPECT_EQ(refs(11, 19), (std::vector<uint64_t>{}));
  EXPECT_EQ(refs(-100, 100), (std::vector<uint64_t>{1, 2, 3}));
  EXPECT_EQ(refs(50, 50), (std::vector<uint64_t>{3}));
  EXPECT_EQ(SeriesEntryBytes(bytes), bytes.size());
}

TEST_F(IndexWriting, AFailedWriteIsReported) {
  for (int64_t call = 1; call < 30; ++call) {
    io::FakeFileSystem files;
    files.FailCall(call, Status(Code::kUnavailable, "disk"));
    auto writer = IndexWriter::Create(files, "index");
    Status st = writer.status();
    if (st.ok()) st = (*writer)->AddSymbol("a");
    if (st.ok()) st = (*writer)->AddSeries(Labels::From({{"a", "a"}}), std::vector<ChunkMeta>{{0, 1, 8}});
    if (st.ok()) st = (*writer)->Finish();
    if (files.calls() < call) {
      EXPECT_TRUE(st.ok());
      return;
    }
    EXPECT_FALSE(st.ok()) << "call " << call;
  }
}

}  // namespace
}  // namespace gauntlet::tsdb
