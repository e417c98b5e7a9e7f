#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "io/fake_file_system.h"
#include "tsdb/chunks/segment_reader.h"
#include "tsdb/chunks/segment_writer.h"

namespace gauntlet::tsdb {
namespace {

std::string RandomBytes(std::mt19937& random, size_t n) {
  std::string bytes(n, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  return bytes;
}

class Segments : public ::testing::Test {
 protected:
  Segments() { EXPECT_TRUE(files_.MakeDirectories("b/chunks").ok()); }

  std::vector<uint64_t> Write(SegmentWriter& writer, const std::vector<std::string>& data) {
    std::vector<ChunkToStore> chunks;
    for (const auto& bytes : data) chunks.push_back({{Encoding::kXor, bytes}, {}});
    std::vector<uint64_t> refs(data.size());
    EXPECT_TRUE(writer.Write(chunks, refs).ok());
    return refs;
  }
  SegmentReader Open() {
    auto reader = SegmentReader::Open(files_, "b/chunks");
    EXPECT_TRUE(reader.ok()) << reader.status().message();
    return std::move(*reader);
  }

  io::FakeFileSystem files_;
};

TEST_F(Segments, ChunksComeBackFromTheirReferences) {
  std::mt19937 random(1);
  std::vector<std::string> data;
  std::vector<uint64_t> refs;
  SegmentWriter writer(files_, "b/chunks", 4000);
  for (int series = 0; series < 40; ++series) {
    std::vector<std::string> part;
    for (size_t i = random() % 6; i > 0; --i) part.push_back(RandomBytes(random, random() % 700));
    auto got = Write(writer, part);
    refs.insert(refs.end(), got.begin(), got.end());
    data.insert(data.end(), part.begin(), part.end());
  }
  ASSERT_TRUE(writer.Finish().ok());
  SegmentReader reader = Open();
  EXPECT_GT(reader.segments(), 5u);
  EXPECT_EQ(reader.bytes(), writer.bytes());
  for (size_t i = 0; i < refs.size(); ++i) {
    auto chunk = reader.Read(refs[i]);
    ASSERT_TRUE(chunk.ok()) << chunk.status().message();
    EXPECT_TRUE(chunk->bytes == data[i]) << i;
    EXPECT_EQ(chunk->encoding, Encoding::kXor);
  }
}

TEST_F(Segments, ChunkLargerThanASegmentGetsOneOfItsOwn) {
  SegmentWriter writer(files_, "b/chunks", 100);
  auto refs = Write(writer, {std::string(500, 'a'), std::string(500, 'b'), "c"});
  ASSERT_TRUE(writer.Finish().ok());
  EXPECT_EQ(UnpackChunkRef(refs[0]).segment, 0u);
  EXPECT_EQ(UnpackChunkRef(refs[1]).segment, 1u);
  EXPECT_EQ(UnpackChunkRef(refs[2]).segment, 2u);
  EXPECT_EQ(Open().segments(), 3u);
}

// Stored chunks are copied in runs, through a buffer or past it, and the bytes are the same.
TEST_F(Segments, CopiesOfStoredChunksHaveTheBytesOfWrittenOnes) {
  std::mt19937 random(2);
  std::vector<std::string> data;
  std::string stored;
  std::vector<size_t> ends;
  for (int i = 0; i < 300; ++i) {
    data.push_back(RandomBytes(random, 1 + random() % 900));
    AppendStoredChunk({Encoding::kXor, data.back()}, &stored);
    ends.push_back(stored.size());
  }
  for (size_t buffer : {size_t{0}, size_t{1000}, SegmentWriter::kBufferBytes}) {
    std::vector<std::string> all[2];  // segments
    std::vector<uint64_t> refs[2];
    for (int copies : {0, 1}) {
      const std::string dir = "runs-" + std::to_string(buffer) + "-" + std::to_string(copies);
      ASSERT_TRUE(files_.MakeDirectories(dir).ok());
      SegmentWriter writer([&](const std::string& name) { return files_.Create(dir + "/" + name); }, 40'000, buffer);
      for (size_t at = 0; at < data.size(); at += 10) {
        std::vector<ChunkToStore> chunks;
        for (size_t i = at; i < at + 10; ++i) {
          size_t begin = i == 0 ? 0 : ends[i - 1];
          // One of them as if it was made anew, one from elsewhere: runs end there.
          bool copied = copies == 1 && i % 7 != 0;
          chunks.push_back({{Encoding::kXor, data[i]}, {}});
          if (copied) chunks.back().stored = std::string_view(stored).substr(begin, ends[i] - begin);
        }
        refs[copies].resize(at + 10);
        ASSERT_TRUE(writer.Write(chunks, std::span(refs[copies]).subspan(at)).ok());
      }
      ASSERT_TRUE(writer.Finish().ok());
      for (uint32_t n = 1; n <= writer.segments(); ++n) {
        all[copies].push_back(*files_.ReadFile(dir + "/" + SegmentName(n)));
      }
    }
    EXPECT_GT(all[0].size(), 3u);
    EXPECT_TRUE(all[0] == all[1]) << buffer;
    EXPECT_EQ(refs[0], refs[1]);
  }
}

TEST_F(Segments, NothingWrittenMakesNoFile) {
  SegmentWriter writer(files_, "b/chunks");
  ASSERT_TRUE(writer.Finish().ok());
  EXPECT_EQ(Open().segments(), 0u);
}

TEST_F(Segments, OtherFilesAreIgnoredAndNumbersSortAsNumbers) {
  std::string header("\x85\xbd\x40\xdd\x01\0\0\0", 8);
  for (const char* name : {"1000000", "200000", "000001", "000002.tmp", "x"}) {
    std::string segment = header;
    AppendStoredChunk({Encoding::kXor, name}, &segment);
    ASSERT_TRUE(files_.WriteAtomically(std::string("b/chunks/") + name, segment).ok());
  }
  SegmentReader reader = Open();
  ASSERT_EQ(reader.segments(), 3u);
  EXPECT_EQ(reader.Read(PackChunkRef({0, 8}))->bytes, "000001");
  EXPECT_EQ(reader.Read(PackChunkRef({1, 8}))->bytes, "200000");
  EXPECT_EQ(reader.Read(PackChunkRef({2, 8}))->bytes, "1000000");
}

TEST_F(Segments, ReferencesOutsideAreErrors) {
  SegmentWriter writer(files_, "b/chunks");
  auto refs = Write(writer, {"one", "two"});
  ASSERT_TRUE(writer.Finish().ok());
  SegmentReader reader = Open();
  for (uint64_t ref : {PackChunkRef({1, 8}), PackChunkRef({0, 0}), PackChunkRef({0, 7}), PackChunkRef({0, 9}),
                       PackChunkRef({0, 1000}), ~uint64_t{0}}) {
    EXPECT_EQ(reader.Read(ref).status().code(), Code::kCorrupt) << ref;
  }
  EXPECT_TRUE(reader.Read(refs[1]).ok());
}

TEST_F(Segments, EveryFlippedBitAndEveryCutIsSeen) {
  std::string stored;
  AppendStoredChunk({Encoding::kHistogram, "some bytes of a chunk"}, &stored);
  ASSERT_EQ(StoredChunkBytes(stored), stored.size());
  for (size_t n = 0; n < stored.size(); ++n) {
    EXPECT_EQ(ReadStoredChunk(std::string_view(stored).substr(0, n)).status().code(), Code::kCorrupt) << n;
  }
  for (size_t bit = 0; bit < stored.size() * 8; ++bit) {
    std::string flipped = stored;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    EXPECT_FALSE(ReadStoredChunk(flipped).ok()) << bit;
  }
}

TEST_F(Segments, WrongHeadersAreRefused) {
  EXPECT_EQ(CheckSegmentHeader("").code(), Code::kCorrupt);
  EXPECT_EQ(CheckSegmentHeader(std::string_view("\x85\xbd\x40\xde\x01\0\0\0", 8)).code(), Code::kCorrupt);
  EXPECT_EQ(CheckSegmentHeader(std::string_view("\x85\xbd\x40\xdd\x02\0\0\0", 8)).code(), Code::kUnsupported);
}

TEST_F(Segments, AFailedWriteIsReported) {
  for (int64_t call = 1;; ++call) {
    io::FakeFileSystem files;
    ASSERT_TRUE(files.MakeDirectories("c").ok());
    files.FailCall(call, Status(Code::kUnavailable, "disk"));
    SegmentWriter writer(files, "c", 50);
    std::vector<ChunkToStore> chunks(4, {{Encoding::kXor, "0123456789012345678901234567890123456789"}, {}});
    std::vector<uint64_t> refs(4);
    Status st = writer.Write(chunks, refs);
    if (st.ok()) st = writer.Finish();
    if (files.calls() < call + 1) {  // it ended before the call that fails
      EXPECT_TRUE(st.ok());
      break;
    }
    EXPECT_FALSE(st.ok()) << "call " << call;
  }
}

}  // namespace
}  // namespace gauntlet::tsdb
