#include "net/http/coding.h"

#include <gtest/gtest.h>

#include "io/compress.h"

namespace gauntlet::net {
namespace {

TEST(AcceptsGzip, FollowsQualities) {
  for (const char* yes : {"gzip", "deflate, gzip;q=1.0, *;q=0.5", "GZIP", "*", "br;q=1, gzip; q=0.001"}) {
    EXPECT_TRUE(AcceptsGzip(yes)) << yes;
  }
  for (const char* no : {"", "identity", "gzip;q=0", "gzip;q=0.000", "br", "*;q=0", "gzip;q=0, *"}) {
    EXPECT_FALSE(AcceptsGzip(no)) << no;
  }
}

TEST(DecodeContent, KnowsGzipDeflateAndIdentity) {
  std::string framed("\x78\x01\x01\x05\x00\xfa\xffhello\x06\x2c\x02\x15", 16);  // "hello" as a stored block
  EXPECT_EQ(*DecodeContent("GZIP", io::GzipCompress("hello"), 100), "hello");
  EXPECT_EQ(*DecodeContent(" deflate", framed, 100), "hello");
  EXPECT_EQ(*DecodeContent("identity", "abc", 10), "abc");
  EXPECT_EQ(*DecodeContent("", "abc", 10), "abc");
  EXPECT_EQ(DecodeContent("br", "x", 100).status().code(), Code::kUnsupported);
}

TEST(DecodeContent, EveryCutIsAnError) {
  std::string packed = io::GzipCompress("some text, some more text, and a bit more");
  for (size_t n = 1; n < packed.size(); ++n) {
    EXPECT_EQ(DecodeContent("gzip", packed.substr(0, n), 1000).status().code(), Code::kCorrupt) << n;
    EXPECT_EQ(DecodeContent("deflate", packed.substr(0, n), 1000).status().code(), Code::kCorrupt) << n;
  }
}

TEST(DecodeContent, BombsStopAtTheLimit) {
  std::string packed = io::GzipCompress(std::string(50 << 20, '\0'));
  ASSERT_LT(packed.size(), 1u << 20);
  for (const char* coding : {"gzip", "deflate"}) {
    EXPECT_EQ(DecodeContent(coding, packed, 1 << 20).status().code(), Code::kExhausted);
  }
}

}  // namespace
}  // namespace gauntlet::net
