// GetBatches: many keys asked of their servers, in batches, side by side, as many at a time as a gate lets in.
//
// Threads: thread-safe.

#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/executor.h"
#include "cache/cache.h"
#include "server/gate.h"

namespace gauntlet::cache {

// Keys, by their places in the question, that one server is asked for at once.
struct GetBatch {
  size_t server = 0;
  std::vector<size_t> keys;
};

inline constexpr size_t kNoServer = static_cast<size_t>(-1);

// `server_of`: kNoServer leaves a key out. `keys_max` 0 = no limit.
std::vector<GetBatch> SplitByServer(std::span<const std::string> keys, size_t servers, size_t keys_max,
                                    const std::function<size_t(const std::string&)>& server_of);

// Asks all; batches that find no place at the gate in time are left out.
void RunBatches(const std::vector<GetBatch>& batches, Executor& executor, server::Gate& gate, const Cancel& cancel,
                const std::function<void(const GetBatch&)>& ask);

}  // namespace gauntlet::cache
