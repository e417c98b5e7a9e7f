// Tenancy enforced: every selector of an expression, and every match[], carries the tenant's label.
//
// Upstream: prom-label-proxy's PromQL enforcer, as Thanos uses it
// Threads:  pure functions.

#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "model/matcher.h"

namespace gauntlet::api {

// The expression with {label="tenant"} in each selector. kInvalid for one that does not parse, or that asks for another
// tenant.
Result<std::string> EnforceTenant(std::string_view expression, const std::string& label, const std::string& tenant);
Status EnforceTenant(Matchers* matchers, const std::string& label, const std::string& tenant);

}  // namespace gauntlet::api
