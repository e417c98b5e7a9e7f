#include "net/http_gzip.h"

#include <gtest/gtest.h>

#include <random>

namespace gauntlet::net {
namespace {

std::string Gzip(std::string_view bytes) {
  GzipWriter writer;
  std::string out;
  writer.Write(bytes, GzipWriter::Mode::kFinish, &out);
  return out;
}

std::string Noise(size_t n) {
  std::mt19937_64 rng(7);
  std::string out(n, '\0');
  for (char& c : out) c = static_cast<char>(rng() >> 60);
  return out;
}

TEST(AcceptsGzip, FollowsQualities) {
  for (const char* yes : {"gzip", "deflate, gzip;q=1.0, *;q=0.5", "GZIP", "*", "br;q=1, gzip; q=0.001"}) {
    EXPECT_TRUE(AcceptsGzip(yes)) << yes;
  }
  for (const char* no : {"", "identity", "gzip;q=0", "gzip;q=0.000", "br", "*;q=0", "gzip;q=0, *"}) {
    EXPECT_FALSE(AcceptsGzip(no)) << no;
  }
}

TEST(Gzip, ComesBackTheSame) {
  for (size_t n : {0, 1, 100, 65'536, 1'000'003}) {
    std::string bytes = Noise(n);
    auto back = DecodeContent("gzip", Gzip(bytes), n);
    ASSERT_TRUE(back.ok()) << back.status().message();
    EXPECT_EQ(*back, bytes);
  }
  EXPECT_EQ(*DecodeContent("GZIP", Gzip("a") + Gzip("b"), 10), "ab");
  EXPECT_EQ(*DecodeContent("identity", "abc", 10), "abc");
}

TEST(Gzip, FlushMakesAllThatWasWrittenReadable) {
  GzipWriter writer;
  std::string out;
  writer.Write("hello", GzipWriter::Mode::kFlush, &out);
  std::string first = out;
  writer.Write("", GzipWriter::Mode::kFinish, &out);
  // The first part alone, closed by an empty final block, holds the text already.
  EXPECT_GT(first.size(), 10u + 5u);
  EXPECT_EQ(*DecodeContent("gzip", out, 10), "hello");
}

TEST(DecodeContent, EveryCutIsDamaged) {
  std::string packed = Gzip(Noise(500));
  for (size_t n = 0; n < packed.size(); ++n) {
    EXPECT_EQ(DecodeContent("gzip", packed.substr(0, n), 1000).status().code(), Code::kInvalid) << n;
  }
  EXPECT_EQ(DecodeContent("gzip", packed + "x", 1000).status().code(), Code::kInvalid);
}

TEST(DecodeContent, BombsStopAtTheLimit) {
  std::string packed = Gzip(std::string(50 << 20, '\0'));
  ASSERT_LT(packed.size(), 1u << 20);
  EXPECT_EQ(DecodeContent("gzip", packed, 1 << 20).status().code(), Code::kExhausted);
}

TEST(DecodeContent, DeflateWithAndWithoutFrame) {
  // "hello" as a stored block, bare and in zlib's frame.
  std::string bare("\x01\x05\x00\xfa\xffhello", 10), framed = "\x78\x01" + bare + std::string("\x06\x2c\x02\x15", 4);
  EXPECT_EQ(*DecodeContent("deflate", bare, 100), "hello");
  EXPECT_EQ(*DecodeContent("deflate", framed, 100), "hello");
  EXPECT_EQ(DecodeContent("br", "x", 100).status().code(), Code::kUnsupported);
}

}  // namespace
}  // namespace gauntlet::net
