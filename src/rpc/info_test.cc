#include "rpc/info.h"

#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <string>

#include "proto/thanos/info.pb.h"
#include "rpc/testing/services_fixture.h"
#include "wire/testing/golden_storeapi.h"

namespace gauntlet::rpc {
namespace {

using net::GrpcStatus;

class FixedInfo : public InfoService {
 public:
  explicit FixedInfo(Info info) : info_(std::move(info)) {}
  GrpcStatus GetInfo(Info* info, const CallContext&) override {
    *info = info_;
    return {};
  }

 private:
  Info info_;
};

void ExpectSame(const Info& a, const Info& b) {
  EXPECT_EQ(a.label_sets, b.label_sets);
  EXPECT_EQ(a.component, b.component);
  ASSERT_EQ(a.store.has_value(), b.store.has_value());
  if (a.store) {
    EXPECT_EQ(a.store->min_time_ms, b.store->min_time_ms);
    EXPECT_EQ(a.store->max_time_ms, b.store->max_time_ms);
    EXPECT_EQ(a.store->supports_sharding, b.store->supports_sharding);
    EXPECT_EQ(a.store->supports_without_replica_labels, b.store->supports_without_replica_labels);
    EXPECT_EQ(a.store->supports_projections, b.store->supports_projections);
    ASSERT_EQ(a.store->tsdbs.size(), b.store->tsdbs.size());
    for (size_t i = 0; i < a.store->tsdbs.size(); ++i) {
      EXPECT_EQ(a.store->tsdbs[i].labels, b.store->tsdbs[i].labels);
      EXPECT_EQ(a.store->tsdbs[i].min_time_ms, b.store->tsdbs[i].min_time_ms);
      EXPECT_EQ(a.store->tsdbs[i].max_time_ms, b.store->tsdbs[i].max_time_ms);
    }
  }
  ASSERT_EQ(a.exemplars.has_value(), b.exemplars.has_value());
  if (a.exemplars) {
    EXPECT_EQ(a.exemplars->max_time_ms, b.exemplars->max_time_ms);
  }
  EXPECT_EQ(a.rules, b.rules);
  EXPECT_EQ(a.metadata, b.metadata);
  EXPECT_EQ(a.targets, b.targets);
  EXPECT_EQ(a.query, b.query);
  EXPECT_EQ(a.status, b.status);
}

TEST_F(ServicesTest, InfoArrivesWhole) {
  Info full{{L("replica", "a"), L("replica", "b")},
            "receive",
            StoreInfo{1, 2, true, true, true, {{L("tenant_id", "t"), 3, 4}}},
            ExemplarsInfo{5, 6},
            true,
            true,
            true,
            true,
            true};
  for (const Info& info : {full, Info()}) {
    FixedInfo service(info);
    MethodMap methods;
    RegisterInfo(service, &methods);
    Info back;
    ASSERT_TRUE(MakeInfoClient(Channel(methods))->GetInfo(&back, {}).ok());
    ExpectSame(back, info);
  }
}

TEST_F(ServicesTest, RecordedInfosKeepTheirMeaning) {
  int infos = 0;
  for (const wire::GoldenCall& call : wire::GoldenCalls()) {
    if (call.method != "/thanos.info.Info/Info") continue;
    MethodMap methods;
    methods[call.method] = [&call](net::GrpcServerCall& server) { return GrpcStatus(server.Write(call.frames.at(0))); };
    Info info;
    ASSERT_TRUE(MakeInfoClient(Channel(methods))->GetInfo(&info, {}).ok());
    EXPECT_NE(call.name.find(info.component + "/"), std::string::npos) << call.name;
    FixedInfo service(info);
    methods.clear();
    RegisterInfo(service, &methods);
    auto again = Channel(methods).Start("/thanos.info.Info/Info", {}, Cancel());
    ASSERT_TRUE(again->Write("").ok());
    std::string bytes;
    ASSERT_TRUE(*again->Read(&bytes));
    thanos::info::InfoResponse expected, got;
    ASSERT_TRUE(expected.ParseFromString(call.frames[0]));
    ASSERT_TRUE(got.ParseFromString(bytes));
    EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(expected, got)) << call.name;
    ++infos;
  }
  if (infos == 0) GTEST_SKIP() << "no golden data: set GAUNTLET_SHARED";
}

}  // namespace
}  // namespace gauntlet::rpc
