#include "storeapi/coverage.h"

#include <gtest/gtest.h>

namespace gauntlet::storeapi {
namespace {

const Status kDown(Code::kUnavailable, "connection refused");

Labels Of(const char* cluster, const char* replica) {
  return Labels::From({{"cluster", cluster}, {"replica", replica}});
}

// Times are in minutes here and below.
EndpointPtr Make(std::vector<TsdbInfo> tsdbs) {
  auto endpoint = std::make_shared<Endpoint>();
  for (TsdbInfo& tsdb : tsdbs) {
    tsdb.min_time_ms *= 60'000;
    tsdb.max_time_ms *= 60'000;
  }
  endpoint->tsdbs = std::move(tsdbs);
  return endpoint;
}

Coverage Over(std::vector<EndpointPtr> endpoints, int64_t min = 100, int64_t max = 200, Matchers matchers = {},
              std::vector<std::string> replica_labels = {"replica"}) {
  return Coverage(std::move(endpoints), min * 60'000, max * 60'000, std::move(matchers), std::move(replica_labels));
}

TEST(Coverage, AReplicaOfTheSameTimesStandsIn) {
  EXPECT_TRUE(Over({Make({{Of("eu", "a"), 0, 1000}}), Make({{Of("eu", "b"), 0, 1000}})}).Without(0, kDown));
  EXPECT_FALSE(Over({Make({{Of("eu", "a"), 0, 1000}})}).Without(0, kDown));
  EXPECT_FALSE(Over({Make({{Of("eu", "a"), 0, 1000}}), Make({{Of("us", "b"), 0, 1000}})}).Without(0, kDown));
}

TEST(Coverage, WithoutReplicaLabelsOnlyTheSameLabelsStandIn) {
  EXPECT_FALSE(
      Over({Make({{Of("eu", "a"), 0, 1000}}), Make({{Of("eu", "b"), 0, 1000}})}, 100, 200, {}, {}).Without(0, kDown));
  EXPECT_TRUE(
      Over({Make({{Of("eu", "a"), 0, 1000}}), Make({{Of("eu", "a"), 0, 1000}})}, 100, 200, {}, {}).Without(0, kDown));
}

TEST(Coverage, TimesThatTheRequestDoesNotAskForNeedNoReplica) {
  EXPECT_TRUE(Over({Make({{Of("eu", "a"), 0, 1000}}), Make({{Of("eu", "b"), 100, 200}})}).Without(0, kDown));
  EXPECT_FALSE(Over({Make({{Of("eu", "a"), 0, 1000}}), Make({{Of("eu", "b"), 102, 1000}})}).Without(0, kDown));
  EXPECT_FALSE(Over({Make({{Of("eu", "a"), 0, 1000}}), Make({{Of("eu", "b"), 0, 199}})}).Without(0, kDown));
  EXPECT_TRUE(Over({Make({{Of("eu", "a"), 150, 160}}), Make({{Of("eu", "b"), 150, 160}})}).Without(0, kDown));
}

TEST(Coverage, ReplicasMayBeginAScrapeIntervalApart) {
  EXPECT_TRUE(Over({Make({{Of("eu", "a"), 120, 1000}}), Make({{Of("eu", "b"), 121, 1000}})}).Without(0, kDown));
  EXPECT_FALSE(Over({Make({{Of("eu", "a"), 120, 1000}}), Make({{Of("eu", "b"), 122, 1000}})}).Without(0, kDown));
}

TEST(Coverage, SeveralMayCoverTogether) {
  EXPECT_TRUE(
      Over({Make({{Of("eu", "a"), 0, 1000}}), Make({{Of("eu", "b"), 150, 1000}}), Make({{Of("eu", "c"), 0, 150}})})
          .Without(0, kDown));
  EXPECT_FALSE(Over({Make({{Of("eu", "a"), 0, 1000}}), Make({{Of("eu", "b"), 152, 1000}, {Of("eu", "c"), 0, 150}})})
                   .Without(0, kDown));
}

TEST(Coverage, EveryDatabaseThatIsAskedNeedsAReplica) {
  std::vector<EndpointPtr> endpoints = {Make({{Of("eu", "a"), 0, 1000}, {Of("us", "a"), 0, 1000}}),
                                        Make({{Of("eu", "b"), 0, 1000}})};
  EXPECT_FALSE(Over(endpoints).Without(0, kDown));
  EXPECT_TRUE(Over(endpoints, 100, 200, {Matcher::Equal("cluster", "eu")}).Without(0, kDown));
  // The matchers leave no replica.
  EXPECT_FALSE(
      Over(endpoints, 100, 200, {Matcher::Equal("cluster", "eu"), Matcher::Equal("replica", "a")}).Without(0, kDown));
}

TEST(Coverage, TheReplicaMayNotFailToo) {
  Coverage coverage =
      Over({Make({{Of("eu", "a"), 0, 1000}}), Make({{Of("eu", "b"), 0, 1000}}), Make({{Of("us", "a"), 0, 1000}})});
  EXPECT_TRUE(coverage.Without(0, kDown));
  EXPECT_FALSE(coverage.Without(1, kDown));
}

TEST(Coverage, AnEndpointOfUnknownLabelsAndARefusalAreNotMadeGood) {
  EXPECT_FALSE(Over({Make({}), Make({{Of("eu", "b"), 0, 1000}})}).Without(0, kDown));
  EXPECT_FALSE(Over({Make({{Labels(), 0, 1000}}), Make({{Labels(), 0, 1000}})}).Without(0, kDown));
  for (Code code : {Code::kInvalid, Code::kExhausted}) {
    EXPECT_FALSE(
        Over({Make({{Of("eu", "a"), 0, 1000}}), Make({{Of("eu", "b"), 0, 1000}})}).Without(0, Status(code, "no")));
  }
}

}  // namespace
}  // namespace gauntlet::storeapi
