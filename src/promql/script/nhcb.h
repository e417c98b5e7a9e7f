// Classic histograms made into native ones with custom buckets: load_with_nhcb.
//
// Upstream: prometheus util/convertnhcb
// Threads:  functions.

#pragma once

#include "base/status.h"
#include "promql/script/script.h"
#include "promql/script/script_storage.h"

namespace gauntlet::promql {

// Appends the native histograms that the _bucket, _count and _sum series of `load` amount to.
Status AppendCustomBucketHistograms(const LoadCommand& load, ScriptStorage* storage);

}  // namespace gauntlet::promql
