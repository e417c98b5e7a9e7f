#include "net/grpc/codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gauntlet::net {
namespace {

using ::testing::HasSubstr;

GrpcFrame FrameOf(const std::string& framed) { return {framed[0] == 1, framed.substr(kGrpcPrefixBytes)}; }

TEST(GrpcCodec, EveryCompressionComesBack) {
  for (auto compression : {GrpcCompression::kIdentity, GrpcCompression::kGzip, GrpcCompression::kSnappy}) {
    for (const std::string& message : {std::string(), std::string("short"), std::string(200'000, 'a')}) {
      std::string framed = *EncodeGrpcMessageFrame(compression, message);
      bool packed = compression != GrpcCompression::kIdentity && message.size() > 1000;
      EXPECT_EQ(framed[0], packed ? 1 : 0);
      EXPECT_EQ(framed.size() < message.size() / 10, packed);
      std::string back = "left over";
      ASSERT_TRUE(DecodeGrpcMessageFrame(compression, 1 << 20, FrameOf(framed), &back).ok());
      EXPECT_EQ(back, message);
    }
  }
}

TEST(GrpcCodec, WhatDoesNotShrinkTravelsAsItIs) {
  std::string noise;
  for (uint32_t x = 1; noise.size() < 10'000; x = x * 1664525 + 1013904223) noise.push_back(static_cast<char>(x >> 24));
  std::string framed = *EncodeGrpcMessageFrame(GrpcCompression::kGzip, noise);
  EXPECT_EQ(framed[0], 0);
  EXPECT_EQ(framed.size(), noise.size() + kGrpcPrefixBytes);
}

TEST(GrpcCodec, BombsAndBrokenBytesAreErrors) {
  std::string message;
  for (auto compression : {GrpcCompression::kGzip, GrpcCompression::kSnappy}) {
    GrpcFrame bomb = FrameOf(*EncodeGrpcMessageFrame(compression, std::string(1 << 20, 'a')));
    EXPECT_EQ(DecodeGrpcMessageFrame(compression, 1000, bomb, &message).code(), Code::kExhausted);
    Status broken = DecodeGrpcMessageFrame(compression, 1 << 20, {true, "not compressed"}, &message);
    EXPECT_EQ(broken.code(), Code::kInternal);
    EXPECT_THAT(std::string(broken.message()), HasSubstr("decompress gRPC message"));
    for (size_t cut : {size_t{1}, bomb.payload.size() / 2, bomb.payload.size() - 1}) {
      GrpcFrame part{true, bomb.payload.substr(0, cut)};
      EXPECT_FALSE(DecodeGrpcMessageFrame(compression, 2 << 20, part, &message).ok()) << cut;
    }
  }
}

}  // namespace
}  // namespace gauntlet::net
