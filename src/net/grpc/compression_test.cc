#include "net/grpc/testing/grpc_test.h"

namespace gauntlet::net {
namespace {

using ::testing::HasSubstr;

class GrpcCompressionTest : public GrpcTest, public ::testing::WithParamInterface<GrpcCompression> {};

TEST_P(GrpcCompressionTest, RequestsAndAnswersPass) {
  options_.compression = GetParam();
  Start();
  for (const std::string& message : {std::string(), std::string("short"), std::string(3 << 20, 'a')}) {
    auto answer = Unary("/t.Test/Echo", message);
    ASSERT_TRUE(answer.ok()) << answer.status().message();
    EXPECT_EQ(*answer, message);
  }
  auto call = Call("/t.Test/Chat");
  std::string message;
  for (int i = 0; i < 100; ++i) {
    std::string sent(i * 100, 'b');
    ASSERT_TRUE(call->Write(sent).ok());
    ASSERT_TRUE(*call->Read(&message));
    ASSERT_EQ(message, sent);
  }
}

TEST_P(GrpcCompressionTest, LimitsCountTheDecompressedBytes) {
  options_.compression = GetParam();
  server_options_.message_bytes_max = 100'000;
  Start();
  auto answer = Unary("/t.Test/Echo", std::string(1 << 20, 'a'));
  EXPECT_EQ(answer.status().code(), Code::kExhausted) << answer.status().message();
}

INSTANTIATE_TEST_SUITE_P(All, GrpcCompressionTest,
                         ::testing::Values(GrpcCompression::kIdentity, GrpcCompression::kGzip,
                                           GrpcCompression::kSnappy));

}  // namespace
}  // namespace gauntlet::net
