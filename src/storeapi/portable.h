// Portable: chunks in the encodings that StoreAPI defines. Prometheus has more: XOR2, and kinds with start times.
//
// Threads: free functions.

#pragma once

#include "base/status.h"
#include "storeapi/series_batch.h"

namespace gauntlet::storeapi {

// A batch whose chunks are all portable; `batch` itself when they are already. kCorrupt names the series.
Result<SeriesBatchPtr> MakePortable(const SeriesBatchPtr& batch);

}  // namespace gauntlet::storeapi
