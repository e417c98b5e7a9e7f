// BlockQueryable: the blocks of a directory as a source for evaluation; read-only. A querier sees the blocks that were
// there when it was made, to its end.
//
// Upstream: prometheus tsdb/db.go (DBReadOnly), tsdb/querier.go
// Threads:  thread-safe.           Owns: nothing; the directory must outlive it, not its queriers.

#pragma once

#include <cstdint>
#include <memory>

#include "storage/storage.h"
#include "tsdb/block/block_directory.h"

namespace gauntlet::tsdb {

class BlockQueryable : public storage::Queryable {
 public:
  explicit BlockQueryable(const BlockDirectory& directory) : directory_(directory) {}

  Result<std::unique_ptr<storage::Querier>> MakeQuerier(int64_t mint_ms, int64_t maxt_ms) override;

 private:
  const BlockDirectory& directory_;
};

// Over these blocks, in [mint_ms, maxt_ms].
std::unique_ptr<storage::Querier> MakeBlockQuerier(std::shared_ptr<const BlockList> blocks, int64_t mint_ms,
                                                   int64_t maxt_ms);

}  // namespace gauntlet::tsdb
