#include "api/tenancy.h"

#include <gtest/gtest.h>

namespace gauntlet::api {
namespace {

TEST(EnforceTenant, EverySelectorGetsTheLabel) {
  EXPECT_EQ(*EnforceTenant("sum by (job) (rate(up{job=\"a\"}[5m])) / count(up offset 1m)", "tenant_id", "x"),
            "sum by (job) (rate(up{job=\"a\",tenant_id=\"x\"}[5m])) / count(up{tenant_id=\"x\"} offset 1m)");
}

TEST(EnforceTenant, ItsOwnLabelIsReplacedAndAnothersRefused) {
  EXPECT_EQ(*EnforceTenant("up{tenant_id=\"x\"}", "tenant_id", "x"), "up{tenant_id=\"x\"}");
  EXPECT_EQ(*EnforceTenant("up{tenant_id=~\".+\"}", "tenant_id", "x"), "up{tenant_id=\"x\"}");
  EXPECT_EQ(EnforceTenant("up{tenant_id=\"y\"}", "tenant_id", "x").status().code(), Code::kInvalid);
  EXPECT_EQ(EnforceTenant("up{tenant_id!=\"x\"}", "tenant_id", "x").status().code(), Code::kInvalid);
  EXPECT_EQ(EnforceTenant("up{", "tenant_id", "x").status().code(), Code::kInvalid);
}

}  // namespace
}  // namespace gauntlet::api
