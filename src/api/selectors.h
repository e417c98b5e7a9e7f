// Selectors of one request, made fewer: those that differ in one value only become one.
//
// A dashboard or a script may ask for thousands of series by name, as one match[] each; a fan-out for each would take
// minutes.
// Threads: pure functions.

#pragma once

#include <vector>

#include "base/status.h"
#include "model/matcher.h"

namespace gauntlet::api {

// How many selects one request of labels or series may cause.
inline constexpr size_t kSelectsMax = 10'000;

// The same series, selected by fewer selectors: equal ones once; a="1", a="2" beside equal others as a=~"1|2", up to
// 250 values at once. kInvalid when more than kSelectsMax are left.
Result<std::vector<Matchers>> JoinSelectors(std::vector<Matchers> selectors);

}  // namespace gauntlet::api
