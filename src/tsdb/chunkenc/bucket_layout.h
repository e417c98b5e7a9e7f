// Bucket layouts: which bucket indices a histogram's spans name, and moving counts from one layout to another.
//
// Upstream: prometheus tsdb/chunkenc/histogram_meta.go

#pragma once

#include <vector>

#include "model/histogram.h"

namespace gauntlet::tsdb {

// Lowers a schema of 9 to 52, which a newer writer may have used, to 8. No effect on others.
void ReduceToKnownSchema(Histogram* h);

}  // namespace gauntlet::tsdb
