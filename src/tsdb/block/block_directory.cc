#include "tsdb/block/block_directory.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "io/path.h"

namespace gauntlet::tsdb {
namespace {

int64_t ModifiedMs(io::FileSystem& files, const std::string& path) {
  auto info = files.Stat(path);
  return info.ok() ? info->modified_ms : 0;
}

BlockList InOrder(const std::vector<BlockPtr>& open, bool keep_superseded) {
  std::set<Ulid> superseded;
  for (const BlockPtr& block : open) {
    for (const BlockParent& parent : block->meta().compaction.parents) superseded.insert(parent.ulid);
  }
  BlockList list;
  for (const BlockPtr& block : open) {
    bool replaced = block->meta().compaction.deletable || superseded.count(block->meta().ulid) != 0;
    if (keep_superseded || !replaced) list.push_back(block);
  }
  std::sort(list.begin(), list.end(), [](const BlockPtr& a, const BlockPtr& b) {
    return std::tie(a->meta().mint_ms, a->meta().ulid) < std::tie(b->meta().mint_ms, b->meta().ulid);
  });
  return list;
}

}  // namespace

Status BlockDirectory::Refresh(std::vector<Problem>* problems) {
  MutexLock lock(refresh_mutex_);
  GN_ASSIGN(std::vector<io::FileInfo> entries, files_.List(dir_));
  std::map<std::string, Entry> found;
  std::vector<BlockPtr> open;
  for (const io::FileInfo& entry : entries) {
    if (!entry.is_directory || !Ulid::Parse(entry.name)) continue;
    std::string path = io::JoinPath(dir_, entry.name);
    Entry now;
    now.tombstones_ms = ModifiedMs(files_, io::JoinPath(path, kTombstonesFile));
    now.meta_ms = ModifiedMs(files_, io::JoinPath(path, kMetaFile));
    auto known = open_.find(entry.name);
    if (known != open_.end() && known->second.tombstones_ms == now.tombstones_ms &&
        known->second.meta_ms == now.meta_ms) {
      now.block = known->second.block;
    } else {
      Result<BlockPtr> block = Block::Open(files_, path);
      if (!block.ok()) {
        // Gone meanwhile, or not yet whole: whoever writes there may be at work.
        if (problems != nullptr) problems->push_back({entry.name, block.status()});
        continue;
      }
      now.block = *std::move(block);
    }
    open.push_back(now.block);
    found.emplace(entry.name, std::move(now));
  }
  open_ = std::move(found);
  auto list = std::make_shared<const BlockList>(InOrder(open, superseded_ == Superseded::kKept));
  MutexLock swap(mutex_);
  blocks_ = std::move(list);
  return Status();
}

std::shared_ptr<const BlockList> BlockDirectory::blocks() const {
  MutexLock lock(mutex_);
  return blocks_;
}

}  // namespace gauntlet::tsdb
