#include "net/grpc/wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gauntlet::net {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::Pair;

TEST(GrpcWire, TimeoutsKeepEightDigits) {
  EXPECT_EQ(FormatGrpcTimeout(nanoseconds(7)), "7n");
  EXPECT_EQ(FormatGrpcTimeout(milliseconds(250)), "250000u");
  EXPECT_EQ(FormatGrpcTimeout(seconds(100)), "100000m");
  EXPECT_EQ(FormatGrpcTimeout(hours(24 * 365)), "31536000S");
  EXPECT_EQ(FormatGrpcTimeout(seconds(-1)), "0n");
  EXPECT_EQ(FormatGrpcTimeout(nanoseconds(100'000'001)), "100001u");  // never shorter than asked
}

TEST(GrpcWire, TimeoutsParseInEveryUnit) {
  EXPECT_EQ(*ParseGrpcTimeout("7n"), nanoseconds(7));
  EXPECT_EQ(*ParseGrpcTimeout("7u"), nanoseconds(7000));
  EXPECT_EQ(*ParseGrpcTimeout("250m"), milliseconds(250));
  EXPECT_EQ(*ParseGrpcTimeout("3S"), seconds(3));
  EXPECT_EQ(*ParseGrpcTimeout("2M"), seconds(120));
  EXPECT_EQ(*ParseGrpcTimeout("1H"), hours(1));
  EXPECT_EQ(*ParseGrpcTimeout("99999999H"), hours(100 * 365 * 24));
  for (const char* bad : {"", "S", "1", "1s", "-1S", "123456789S", "1 S", "0x1S"}) {
    EXPECT_EQ(ParseGrpcTimeout(bad).status().code(), Code::kInvalid) << bad;
  }
}

TEST(GrpcWire, MessagesSurviveAnyBytes) {
  EXPECT_EQ(EncodeGrpcMessage("rate 100%\n\xc3\xa9"), "rate 100%25%0A%C3%A9");
  std::string all;
  for (int c = 0; c < 256; ++c) all.push_back(static_cast<char>(c));
  EXPECT_EQ(DecodeGrpcMessage(EncodeGrpcMessage(all)), all);
  EXPECT_EQ(DecodeGrpcMessage("50% off %4 %zz %41"), "50% off %4 %zz A");
}

TEST(GrpcWire, Base64IsReadWithAndWithoutPadding) {
  EXPECT_EQ(EncodeBase64(""), "");
  EXPECT_EQ(EncodeBase64("f"), "Zg");
  EXPECT_EQ(EncodeBase64("fo"), "Zm8");
  EXPECT_EQ(EncodeBase64("foo"), "Zm9v");
  EXPECT_EQ(*DecodeBase64("Zg"), "f");
  EXPECT_EQ(*DecodeBase64("Zg=="), "f");
  EXPECT_EQ(*DecodeBase64("Zm8="), "fo");
  EXPECT_EQ(*DecodeBase64("Zm9v"), "foo");
  for (const char* bad : {"Z", "Zg=", "Z===", "Zm 9v", "Zg==Zg=="}) EXPECT_FALSE(DecodeBase64(bad).ok()) << bad;
}

TEST(GrpcWire, MetadataCrossesInBothDirections) {
  GrpcMetadata sent{{"THANOS-Tenant", "team a "},
                    {"trace-bin", std::string("\0\xff", 2)},
                    {"grpc-timeout", "1S"},
                    {"te", "x"},
                    {"bad name", "x"},
                    {"text", "a\nb"}};
  GrpcHeaders headers;
  AppendGrpcMetadata(sent, &headers);
  EXPECT_THAT(headers, ::testing::UnorderedElementsAre(Pair("thanos-tenant", "team a"), Pair("trace-bin", "AP8"),
                                                       Pair("text", "a?b")));
  GrpcMetadata received;
  for (const auto& [name, value] : headers) EXPECT_TRUE(AddGrpcMetadata(name, value, &received).ok());
  EXPECT_EQ(received.find("trace-bin")->second, std::string("\0\xff", 2));
  EXPECT_TRUE(AddGrpcMetadata("list-bin", "Zg==,Zm8", &received).ok());
  EXPECT_EQ(received.count("list-bin"), 2u);
  EXPECT_EQ(AddGrpcMetadata("x-bin", "*", &received).code(), Code::kInvalid);
}

TEST(GrpcWire, ContentTypes) {
  EXPECT_TRUE(IsGrpcContentType("application/grpc"));
  EXPECT_TRUE(IsGrpcContentType("Application/gRPC+proto"));
  EXPECT_TRUE(IsGrpcContentType("application/grpc;charset=utf-8"));
  EXPECT_FALSE(IsGrpcContentType("application/grpc-web"));
  EXPECT_FALSE(IsGrpcContentType("application/json"));
  EXPECT_FALSE(IsGrpcContentType(""));
}

TEST(GrpcWire, CodesOutsideTheTableAreUnknown) {
  EXPECT_EQ(ParseGrpcCode("0"), GrpcCode::kOk);
  EXPECT_EQ(ParseGrpcCode("16"), GrpcCode::kUnauthenticated);
  for (const char* bad : {"", "17", "-1", "x", "99999999999999999999"}) {
    EXPECT_EQ(ParseGrpcCode(bad), GrpcCode::kUnknown) << bad;
  }
}

TEST(GrpcWire, AcceptEncodingLists) {
  EXPECT_TRUE(AcceptsGrpcCompression("identity, deflate ,gzip", GrpcCompression::kGzip));
  EXPECT_FALSE(AcceptsGrpcCompression("identity,gzipped", GrpcCompression::kGzip));
  EXPECT_TRUE(AcceptsGrpcCompression("", GrpcCompression::kIdentity));
}

TEST(GrpcStatus, EveryCodeOfOursComesBack) {
  for (int i = 0; i <= static_cast<int>(Code::kInternal); ++i) {
    auto code = static_cast<Code>(i);
    if (code == Code::kOutOfOrder) continue;  // OutOfRange says less
    EXPECT_EQ(FromGrpcCode(ToGrpcCode(code)), code) << CodeName(code);
  }
  EXPECT_EQ(FromGrpcCode(GrpcCode::kAborted), Code::kInternal);
  EXPECT_EQ(GrpcStatus(Status(Code::kDenied, "no")).ToStatus().message(), "no");
  EXPECT_TRUE(GrpcStatus(Status()).ToStatus().ok());
}

}  // namespace
}  // namespace gauntlet::net
