// BlockDirectory: the blocks in a folder, kept open, whoever writes there.
//
// Upstream: prometheus tsdb/db.go (openBlocks, reloadBlocks), but it removes nothing
// Threads:  thread-safe.           Owns: references to its blocks; those handed out live as long as they are held.

#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "io/file_system.h"
#include "tsdb/block/block.h"

namespace gauntlet::tsdb {

using BlockPtr = std::shared_ptr<const Block>;
using BlockList = std::vector<BlockPtr>;

class BlockDirectory {
 public:
  struct Problem {
    std::string name;
    Status status;
  };

  // What becomes of blocks that are marked deletable or that another one was made of: their samples are in that one.
  enum class Superseded : uint8_t { kLeftOut, kKept };

  BlockDirectory(io::FileSystem& files, std::string dir, Superseded superseded = Superseded::kLeftOut)
      : files_(files), dir_(std::move(dir)), superseded_(superseded) {}

  // Looks again: opens what is new, lets go of what is gone, sees new deletions. Blocks that do not open are left out
  // and told to `problems` (may be null).
  Status Refresh(std::vector<Problem>* problems);

  // By time, as of the last Refresh().
  std::shared_ptr<const BlockList> blocks() const;

 private:
  struct Entry {
    BlockPtr block;
    int64_t tombstones_ms = 0, meta_ms = 0;  // when these files were written last
  };

  io::FileSystem& files_;
  const std::string dir_;
  const Superseded superseded_;
  Mutex refresh_mutex_;  // one at a time; before mutex_
  std::map<std::string, Entry> open_ GN_GUARDED_BY(refresh_mutex_);
  mutable Mutex mutex_;
  std::shared_ptr<const BlockList> blocks_ GN_GUARDED_BY(mutex_) = std::make_shared<BlockList>();
};

}  // namespace gauntlet::tsdb
