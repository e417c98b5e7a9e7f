#include "objstore/rest/bearer_authorizer.h"

#include <gtest/gtest.h>

namespace gauntlet::objstore {
namespace {

TEST(BearerAuthorizer, ATroubledIssuerDoesNotTakeAGoodTokenAway) {
  SimulatedClock clock(1'000'000);
  int asked = 0;
  BearerAuthorizer authorizer(
      [&](const Cancel&) -> Result<BearerToken> {
        if (++asked > 1) return Status(Code::kUnavailable, "down");
        return BearerToken{"one", clock.NowMs() + 600'000};
      },
      clock, "X-Auth-Token");
  auto token = [&]() -> Result<std::string> {
    Request request;
    GN_TRY(authorizer.Authorize(0, "", &request, Cancel()));
    return std::string(request.headers.Get("X-Auth-Token"));
  };
  EXPECT_EQ(*token(), "one");
  clock.Advance(std::chrono::minutes(8));  // time for another, which does not come
  EXPECT_EQ(*token(), "one");
  EXPECT_EQ(asked, 2);
  clock.Advance(std::chrono::minutes(3));
  EXPECT_EQ(token().status().message(), "down");
}

}  // namespace
}  // namespace gauntlet::objstore
