// Decoding of histogram chunks, integer and float, with and without start times.
//
// Format:  header and layout (histogram_layout.h). Sample 0: varbit t; integer: varbit count, zero count, f64 sum,
// varbit
//          differences between buckets; float: everything f64. Then for each sample the varbit delta of delta of the
//          time; integer: the same of count and zero count, xor of the sum, delta of delta of the differences between
//          buckets; float: everything as xor with a window of its own. A stale marker (sum) has no buckets.
// Upstream: prometheus tsdb/chunkenc/histogram.go, float_histogram.go, histogram_st.go, float_histogram_st.go

#pragma once

#include <cstdint>
#include <string_view>

#include "base/status.h"
#include "model/samples.h"
#include "tsdb/chunkenc/encoding.h"

namespace gauntlet::tsdb {

// Appends the samples within [mint_ms, maxt_ms], with the reset hints their place in the whole chunk gives them.
// Leaves `out` in any state on error; DecodeChunk() is the entry that cleans up.
// REQUIRES: IsHistogramEncoding(encoding)
Status DecodeHistograms(Encoding encoding, std::string_view bytes, int64_t mint_ms, int64_t maxt_ms, Samples* out);

}  // namespace gauntlet::tsdb
