// BlockRead: a select answered from Prometheus' blocks, as series with their final labels: the same samples that remote
// read gives of these times, without Prometheus.
//
// Chunks go out whole, as they stand in the mapped file, as remote read sends them; those that have deletions are
// written anew, and so are series of which blocks overlap.
//
// Threads:  one thread at a time, which does the reading.

#pragma once

#include <cstdint>
#include <memory>

#include "base/cancel.h"
#include "base/status.h"
#include "sidecar/remote_read.h"
#include "storeapi/store.h"
#include "tsdb/block/block_directory.h"

namespace gauntlet::sidecar {

// An error when the blocks cannot be read; nothing has been given out then. With `joined`, somebody else answers for
// the times after the request's end, with whole chunks: those that reach beyond it are left to him.
Result<std::unique_ptr<storeapi::SeriesStream>> StartBlockRead(std::shared_ptr<const tsdb::BlockList> blocks,
                                                               RemoteReadRequest request, bool joined,
                                                               const RemoteReadOptions& options, const Cancel& cancel);

// The series of both, each with its chunks of `earlier` before those of `later`; at most `limit`, 0 = all.
std::unique_ptr<storeapi::SeriesStream> JoinByTime(std::unique_ptr<storeapi::SeriesStream> earlier,
                                                   std::unique_ptr<storeapi::SeriesStream> later, int64_t limit);

}  // namespace gauntlet::sidecar
