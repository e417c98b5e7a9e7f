#include "cache/get_batches.h"

#include <algorithm>

namespace gauntlet::cache {

std::vector<GetBatch> SplitByServer(std::span<const std::string> keys, size_t servers, size_t keys_max,
                                    const std::function<size_t(const std::string&)>& server_of) {
  std::vector<GetBatch> batches;
  std::vector<size_t> open(servers, kNoServer);  // the batch of each server that has room
  for (size_t i = 0; i < keys.size(); ++i) {
    size_t server = server_of(keys[i]);
    if (server >= servers) continue;
    if (open[server] == kNoServer) {
      open[server] = batches.size();
      batches.push_back({server, {}});
    }
    GetBatch& batch = batches[open[server]];
    batch.keys.push_back(i);
    if (keys_max != 0 && batch.keys.size() >= keys_max) open[server] = kNoServer;
  }
  return batches;
}

void RunBatches(const std::vector<GetBatch>& batches, Executor& executor, server::Gate& gate, const Cancel& cancel,
                const std::function<void(const GetBatch&)>& ask) {
  auto one = [&](size_t i) {
    if (auto pass = gate.Enter(cancel); pass.ok()) ask(batches[i]);
  };
  if (batches.size() == 1) return one(0);
  if (!batches.empty()) ParallelFor(executor, batches.size(), one);
}

}  // namespace gauntlet::cache
