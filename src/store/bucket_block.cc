#include "store/bucket_block.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "io/path.h"

namespace gauntlet::store {
namespace {

Labels Selectable(const BlockFacts& facts, const std::string& id) {
  std::vector<std::pair<std::string, std::string>> labels;
  for (const Label& label : facts.external) labels.emplace_back(label.name, label.value);
  labels.emplace_back("__block_id", id);
  return Labels::From(labels);
}

// By the order of their names, whatever numbers are missing: that is how chunks refer to them.
Result<std::vector<std::string>> ListSegments(objstore::Bucket& bucket, const std::string& id, const Cancel& cancel) {
  std::vector<std::string> names;
  Status listed = bucket.Iter(id + "/chunks/", {}, cancel, [&](const objstore::ObjectEntry& entry) {
    std::string_view name = io::BaseName(entry.name);
    const bool number = std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!entry.is_directory() && number) names.emplace_back(name);
    return Status();
  });
  GN_TRY(listed.Wrap("list the segments of block " + id));
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

BucketBlock::BucketBlock(BlockFacts facts, std::shared_ptr<IndexHeaderSource> header,
                         const BlockEnvironment& environment)
    : facts_(std::move(facts)),
      id_(facts_.ulid.ToString()),
      selectable_(Selectable(facts_, id_)),
      header_(std::move(header)),
      environment_(environment),
      segments_(facts_.segments) {}

Result<IndexTables> BucketBlock::Tables(const Cancel& cancel) const {
  Result<IndexTables> tables = header_->Get(cancel);
  if (!tables.ok()) return tables.status().Wrap("index header of block " + id_);
  return tables;
}

Result<std::string> BucketBlock::SegmentObject(uint32_t segment, const Cancel& cancel) const {
  MutexLock lock(mutex_);
  if (segments_.empty()) {
    GN_ASSIGN(segments_, ListSegments(*environment_.bucket, id_, cancel));
  }
  if (segment < segments_.size()) return id_ + "/chunks/" + segments_[segment];
  return Status(Code::kCorrupt,
                fmt::format("block {} has {} segments, but a chunk in number {}", id_, segments_.size(), segment + 1));
}

}  // namespace gauntlet::store
