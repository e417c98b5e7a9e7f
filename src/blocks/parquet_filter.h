// ParquetFilter: drops blocks that were converted to Parquet, of which another gateway answers, by what the other
// bucket says: <name>/meta.pb lists the blocks that its data was made of.
//
// The converter cuts at days: a block goes only when converted blocks cover each of its days as a whole.
// Upstream: thanos pkg/block/fetcher.go (IgnoreParquetConvertedBlocksFilter)
// Threads:  one thread at a time, as MetaFetcher.

#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/executor.h"
#include "blocks/meta_fetcher.h"
#include "objstore/bucket.h"

namespace gauntlet::blocks {

// The blocks that a meta.pb names. kCorrupt when it is none.
Result<std::vector<Ulid>> ParseParquetSources(std::string_view bytes);

class ParquetFilter final : public MetaFilter {
 public:
  // `executor` is borrowed; its tasks block.
  ParquetFilter(std::unique_ptr<objstore::Bucket> bucket, Executor& executor, size_t concurrency)
      : bucket_(std::move(bucket)), executor_(executor), concurrency_(concurrency) {}
  // An error when the other bucket cannot be read as a whole: nobody knows then what is answered there.
  Status Filter(const Catalog&, const Cancel& cancel, MetaMap* metas, StateCounts* synced, StateCounts*) override;

 private:
  struct Read {
    int64_t modified_ms = 0;
    std::vector<Ulid> sources;
  };
  Result<std::set<Ulid>> Converted(const Cancel& cancel);

  const std::unique_ptr<objstore::Bucket> bucket_;
  Executor& executor_;
  const size_t concurrency_;
  std::map<std::string, Read> read_;  // by the name of the object
};

}  // namespace gauntlet::blocks
