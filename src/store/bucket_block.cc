#include "store/bucket_block.h"

#include <utility>

#include "tsdb/chunks/segment.h"

namespace gauntlet::store {
namespace {

Labels Selectable(const BlockFacts& facts, const std::string& id) {
  std::vector<std::pair<std::string, std::string>> labels;
  for (const Label& label : facts.external) labels.emplace_back(label.name, label.value);
  labels.emplace_back("__block_id", id);
  return Labels::From(labels);
}

}  // namespace

BucketBlock::BucketBlock(BlockFacts facts, std::shared_ptr<IndexHeaderSource> header,
                         const BlockEnvironment& environment)
    : facts_(std::move(facts)),
      id_(facts_.ulid.ToString()),
      selectable_(Selectable(facts_, id_)),
      header_(std::move(header)),
      environment_(environment) {}

Result<IndexTables> BucketBlock::Tables(const Cancel& cancel) const {
  Result<IndexTables> tables = header_->Get(cancel);
  if (!tables.ok()) return tables.status().Wrap("index header of block " + id_);
  return tables;
}

std::string BucketBlock::segment_object(uint32_t segment) const {
  return id_ + "/chunks/" +
         (segment < facts_.segments.size() ? facts_.segments[segment] : tsdb::SegmentName(segment + 1));
}

}  // namespace gauntlet::store
