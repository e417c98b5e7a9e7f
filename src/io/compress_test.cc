#include "io/compress.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "io/file_system.h"
#include "io/path.h"

namespace gauntlet::io {
namespace {

constexpr size_t kMax = 64 << 20;

// Empty, short, random, repetitive and mixed inputs, around the sizes at which formats change.
std::vector<std::string> Inputs() {
  std::mt19937 rng(1);
  std::vector<std::string> inputs{"", "a", "hello, hello, hello, hello"};
  for (size_t n : {100, 65535, 65536, 65537, 200'000}) {
    std::string noise(n, '\0'), text;
    for (char& c : noise) c = static_cast<char>(rng());
    while (text.size() < n) text += "metric_" + std::to_string(rng() % 50) + "{job=\"node\"} ";
    text.resize(n);
    inputs.push_back(noise);
    inputs.push_back(text);
    inputs.push_back(std::string(n, 'x'));
    inputs.push_back(noise.substr(0, n / 2) + text.substr(0, n / 2));
  }
  return inputs;
}

struct Format {
  const char* name;
  std::string (*compress)(std::string_view);
  Result<std::string> (*decompress)(std::string_view, size_t);
};

const Format kFormats[] = {
    {"gzip", [](std::string_view s) { return GzipCompress(s); }, GzipDecompress},
    {"snappy", [](std::string_view s) { return SnappyCompress(s); },
     [](std::string_view s, size_t max) { return SnappyDecompress(s, max); }},
    {"framed", SnappyFramedCompress, SnappyFramedDecompress},
    {"zstd", [](std::string_view s) { return ZstdCompress(s); },
     [](std::string_view s, size_t max) { return ZstdDecompress(s, max); }},
};

class CompressTest : public testing::TestWithParam<Format> {};

TEST_P(CompressTest, GivesBackWhatItTook) {
  for (const std::string& input : Inputs()) {
    auto back = GetParam().decompress(GetParam().compress(input), kMax);
    ASSERT_TRUE(back.ok()) << back.status().message();
    ASSERT_EQ(*back, input);
  }
}

TEST_P(CompressTest, LimitIsExact) {
  for (const std::string& input : Inputs()) {
    if (input.empty()) continue;
    std::string packed = GetParam().compress(input);
    EXPECT_TRUE(GetParam().decompress(packed, input.size()).ok());
    auto over = GetParam().decompress(packed, input.size() - 1);
    ASSERT_FALSE(over.ok());
    EXPECT_EQ(over.status().code(), Code::kExhausted) << over.status().message();
  }
}

TEST_P(CompressTest, EveryTruncationIsAnErrorOrAPrefix) {
  std::string input;
  for (int i = 0; i < 300; ++i) input += std::to_string(i * i) + (i % 7 ? "abc" : "\n");
  input += std::string(70'000, 'z');
  std::string packed = GetParam().compress(input);
  for (size_t n = 1; n < packed.size(); ++n) {
    auto back = GetParam().decompress(std::string_view(packed).substr(0, n), kMax);
    if (back.ok()) {
      // Only framed snappy has no end mark: between chunks it may end.
      ASSERT_STREQ(GetParam().name, "framed");
      ASSERT_TRUE(input.starts_with(*back) && back->size() < input.size()) << n;
    } else {
      ASSERT_EQ(back.status().code(), Code::kCorrupt) << n << back.status().message();
    }
  }
}

TEST_P(CompressTest, FlippedBitsDoNotCrash) {
  std::mt19937 rng(2);
  std::string packed = GetParam().compress(Inputs()[6]);
  for (int i = 0; i < 2000; ++i) {
    std::string broken = packed;
    broken[rng() % broken.size()] ^= static_cast<char>(1 << rng() % 8);
    auto back = GetParam().decompress(broken, 1 << 20);
    if (!back.ok()) EXPECT_NE(back.status().code(), Code::kInternal);
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, CompressTest, testing::ValuesIn(kFormats),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(Gzip, ReadsSeveralMembersButNothingElseAfterThem) {
  std::string two = GzipCompress("first ") + GzipCompress("second");
  EXPECT_EQ(*GzipDecompress(two, kMax), "first second");
  EXPECT_EQ(GzipDecompress(two + "x", kMax).status().code(), Code::kCorrupt);
  EXPECT_EQ(GzipDecompress(two, 11).status().code(), Code::kExhausted);
}

TEST(Gzip, ALyingTrailerDoesNotCostMemory) {
  std::string packed = GzipCompress("x");
  packed[packed.size() - 1] = '\x7f';  // claims 2 GB
  EXPECT_EQ(GzipDecompress(packed, kNoByteLimit).status().code(), Code::kCorrupt);
}

TEST(GzipStream, WriterAndReaderAgreeInAnyPieces) {
  std::mt19937 rng(3);
  for (const std::string& input : Inputs()) {
    std::string packed, back;
    GzipWriter writer;
    for (std::string_view left = input; !left.empty();) {
      size_t n = std::min<size_t>(1 + rng() % 30'000, left.size());
      writer.Append(left.substr(0, n), &packed);
      if (rng() % 4 == 0) writer.Flush(&packed);
      left.remove_prefix(n);
    }
    writer.Finish(&packed);
    EXPECT_EQ(*GzipDecompress(packed, kMax), input);
    GzipReader reader(kMax);
    for (std::string_view left = packed; !left.empty();) {
      size_t n = std::min<size_t>(1 + rng() % 5'000, left.size());
      ASSERT_TRUE(reader.Append(left.substr(0, n), &back).ok());
      left.remove_prefix(n);
    }
    ASSERT_TRUE(reader.Finish().ok());
    ASSERT_EQ(back, input);
  }
}

TEST(GzipStream, FlushMakesEverythingReadable) {
  std::string packed, back;
  GzipWriter writer;
  GzipReader reader(kMax);
  writer.Append("event one", &packed);
  writer.Flush(&packed);
  ASSERT_TRUE(reader.Append(packed, &back).ok());
  EXPECT_EQ(back, "event one");
  EXPECT_FALSE(reader.Finish().ok());
}

TEST(GzipStream, ReaderIsBoundedAndTakesMembersAndZlib) {
  std::string bomb = GzipCompress(std::string(10 << 20, '\0')), out;
  GzipReader bounded(1 << 20);
  EXPECT_EQ(bounded.Append(bomb, &out).code(), Code::kExhausted);
  EXPECT_LE(out.size(), size_t{1} << 20);

  GzipReader members(kMax);
  out.clear();
  ASSERT_TRUE(members.Append(GzipCompress("a") + GzipCompress("b"), &out).ok());
  EXPECT_TRUE(members.Finish().ok());
  EXPECT_EQ(out, "ab");

  GzipReader zlib(kMax);
  out.clear();
  ASSERT_TRUE(zlib.Append(std::string_view("\x78\x9c\x4b\x04\x00\x00\x62\x00\x62", 9), &out).ok());
  EXPECT_TRUE(zlib.Finish().ok());
  EXPECT_EQ(out, "a");
  EXPECT_EQ(GzipReader(kMax).Append("not gzip at all", &out).code(), Code::kCorrupt);
}

TEST(Snappy, AnImpossibleLengthIsRefusedBeforeMemoryIsTaken) {
  EXPECT_EQ(SnappyDecompress("\xff\xff\xff\xff\x0f", kNoByteLimit).status().code(), Code::kCorrupt);
  EXPECT_EQ(SnappyDecompress("", kMax).status().code(), Code::kCorrupt);
  std::string out = "old";
  ASSERT_TRUE(SnappyDecompress(SnappyCompress("new"), kMax, &out).ok());
  EXPECT_EQ(out, "new");
}

TEST(Snappy, ReadsTheRecordedRemoteWriteBodies) {
  const char* shared = std::getenv("GAUNTLET_SHARED");
  FileSystem& fs = RealFileSystem();
  if (shared == nullptr || !fs.List(shared).ok()) GTEST_SKIP() << "no shared test data (GAUNTLET_SHARED)";
  std::string dir = JoinPath(shared, "golden/remote-write");
  int bodies = 0;
  auto files = fs.List(dir);
  ASSERT_TRUE(files.ok()) << files.status().message();
  for (const FileInfo& info : *files) {
    if (!info.name.ends_with(".snappy")) continue;
    auto body = SnappyDecompress(*fs.ReadFile(JoinPath(dir, info.name)), kMax);
    ASSERT_TRUE(body.ok()) << info.name << body.status().message();
    ++bodies;
  }
  EXPECT_GT(bodies, 0);
}

TEST(SnappyFramed, IsWhatGolangWrites) {
  // golang/snappy 0.0.4, NewBufferedWriter, "snappy" and Close: too short to gain, so stored.
  std::string packed = SnappyFramedCompress("snappy");
  EXPECT_EQ(packed.substr(0, 10), std::string("\xff\x06\x00\x00sNaPpY", 10));
  EXPECT_EQ(packed.substr(10, 4), std::string("\x01\x0a\x00\x00", 4));
  EXPECT_EQ(packed.size(), 10u + 8 + 6);
  EXPECT_EQ(SnappyFramedCompress(""), "");
  EXPECT_EQ(*SnappyFramedDecompress("", kMax), "");
}

TEST(SnappyFramed, SkipsPaddingAndRefusesTheReserved) {
  std::string packed = SnappyFramedCompress("payload");
  std::string padding("\xfe\x03\x00\x00...", 7), reserved("\x02\x01\x00\x00.", 5);
  EXPECT_EQ(*SnappyFramedDecompress(packed + padding + packed, kMax), "payloadpayload");
  EXPECT_EQ(SnappyFramedDecompress(packed + reserved, kMax).status().code(), Code::kUnsupported);
  EXPECT_EQ(SnappyFramedDecompress(packed.substr(10), kMax).status().code(), Code::kCorrupt);
  packed.back() = 'X';
  EXPECT_EQ(SnappyFramedDecompress(packed, kMax).status().message(), "snappy: checksum mismatch");
}

TEST(Zstd, ReadsSeveralFrames) {
  EXPECT_EQ(*ZstdDecompress(ZstdCompress("first ") + ZstdCompress("second"), kMax), "first second");
  EXPECT_EQ(ZstdDecompress("", kMax).status().code(), Code::kCorrupt);
  std::string bomb = ZstdCompress(std::string(32 << 20, 'b'));
  EXPECT_EQ(ZstdDecompress(bomb, 1 << 20).status().code(), Code::kExhausted);
  EXPECT_EQ(ZstdDecompress(bomb, kMax)->size(), size_t{32} << 20);
}

}  // namespace
}  // namespace gauntlet::io
