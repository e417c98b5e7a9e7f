#include "sidecar/upload_checks.h"

#include <gtest/gtest.h>

#include "sidecar/testing/scripted_prometheus.h"

namespace gauntlet::sidecar {
namespace {

class UploadChecksTest : public testing::Test {
 protected:
  Status Check(const std::string& flags, bool ignore = false) {
    prometheus_.SetData("/api/v1/status/flags", flags);
    return CheckUploadSetup(prometheus_.api(), {"/prometheus/", "thanos.shipper.json", ignore},
                            telemetry::Logger::Discard(), Cancel());
  }
  ScriptedPrometheus prometheus_;
};

constexpr char kEqual[] = R"({"storage.tsdb.min-block-duration":"2h","storage.tsdb.max-block-duration":"2h"})";
constexpr char kUnequal[] = R"({"storage.tsdb.min-block-duration":"2h","storage.tsdb.max-block-duration":"31h"})";

TEST_F(UploadChecksTest, EqualBlockDurationsAreFine) { EXPECT_TRUE(Check(kEqual).ok()); }

TEST_F(UploadChecksTest, LocalCompactionIsRefusedUnlessIgnored) {
  EXPECT_EQ(Check(kUnequal).code(), Code::kInvalid);
  EXPECT_TRUE(Check(kUnequal, true).ok());
}

TEST_F(UploadChecksTest, DelayedCompactionIsFineWhenTheFileIsTheSame) {
  auto with = [](const std::string& path) {
    return R"({"storage.tsdb.min-block-duration":"2h","storage.tsdb.max-block-duration":"31h",)"
           R"("storage.tsdb.delay-compact-file.path":")" +
           path + "\"}";
  };
  EXPECT_TRUE(Check(with("/prometheus/thanos.shipper.json")).ok());
  EXPECT_TRUE(Check(with("/x/../prometheus/./thanos.shipper.json")).ok());
  Status other = Check(with("/data/thanos.shipper.json"));
  EXPECT_EQ(other.code(), Code::kInvalid);
  EXPECT_NE(other.message().find("/data/thanos.shipper.json"), std::string::npos);
}

TEST_F(UploadChecksTest, AnOldPrometheusIsNotAskedFurtherAndTroubleIsTrouble) {
  prometheus_.Set("/api/v1/status/flags", {.status = 404});
  EXPECT_TRUE(CheckUploadSetup(prometheus_.api(), {"/p", "f"}, telemetry::Logger::Discard(), Cancel()).ok());
  prometheus_.Set("/api/v1/status/flags", {.status = 503});
  EXPECT_EQ(CheckUploadSetup(prometheus_.api(), {"/p", "f"}, telemetry::Logger::Discard(), Cancel()).code(),
            Code::kUnavailable);
}

}  // namespace
}  // namespace gauntlet::sidecar
