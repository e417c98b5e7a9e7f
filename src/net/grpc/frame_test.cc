#include "net/grpc/frame.h"

#include <gtest/gtest.h>

#include <vector>

namespace gauntlet::net {
namespace {

std::vector<std::string> Payloads(const std::deque<GrpcFrame>& frames) {
  std::vector<std::string> out;
  for (const auto& frame : frames) out.push_back(frame.payload);
  return out;
}

TEST(GrpcFrame, MessagesComeWholeHoweverTheBytesAreCut) {
  const std::vector<std::string> messages{"", "a", std::string(70'000, 'x'), "", "tail"};
  std::string bytes;
  for (const auto& message : messages) AppendGrpcFrame(false, message, &bytes);
  for (size_t step : {1u, 2u, 5u, 6u, 1000u, 1'000'000u}) {
    GrpcFrameReader reader(1 << 20, GrpcCompression::kIdentity);
    std::deque<GrpcFrame> frames;
    for (size_t at = 0; at < bytes.size(); at += step) {
      ASSERT_TRUE(reader.Feed(std::string_view(bytes).substr(at, step), &frames).ok());
    }
    EXPECT_EQ(Payloads(frames), messages) << step;
    EXPECT_FALSE(reader.mid_message());
  }
}

TEST(GrpcFrame, EveryCutLeavesTheReaderInsideOrBetweenMessages) {
  std::string bytes;
  AppendGrpcFrame(false, "abc", &bytes);
  AppendGrpcFrame(false, "", &bytes);
  for (size_t cut = 0; cut <= bytes.size(); ++cut) {
    GrpcFrameReader reader(16, GrpcCompression::kIdentity);
    std::deque<GrpcFrame> frames;
    ASSERT_TRUE(reader.Feed(std::string_view(bytes).substr(0, cut), &frames).ok());
    bool between = cut == 0 || cut == 8 || cut == bytes.size();
    EXPECT_EQ(reader.mid_message(), !between) << cut;
  }
}

TEST(GrpcFrame, LimitsAndFlagsAreEnforcedBeforeThePayload) {
  std::deque<GrpcFrame> frames;
  auto feed = [&](std::string_view bytes, GrpcCompression compression) {
    return GrpcFrameReader(16, compression).Feed(bytes, &frames);
  };
  EXPECT_EQ(feed(std::string_view("\0\0\0\0\x11", 5), GrpcCompression::kIdentity).code(), Code::kExhausted);
  EXPECT_EQ(feed(std::string_view("\0\xff\xff\xff\xff", 5), GrpcCompression::kIdentity).code(), Code::kExhausted);
  EXPECT_EQ(feed(std::string_view("\1\0\0\0\x01x", 6), GrpcCompression::kIdentity).code(), Code::kInternal);
  EXPECT_TRUE(feed(std::string_view("\1\0\0\0\x01x", 6), GrpcCompression::kGzip).ok());
  EXPECT_EQ(feed(std::string_view("\2\0\0\0\x01x", 6), GrpcCompression::kGzip).code(), Code::kInternal);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_TRUE(frames[0].compressed);
}

}  // namespace
}  // namespace gauntlet::net
