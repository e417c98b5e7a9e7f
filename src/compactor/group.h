// Group: the blocks of one origin and resolution, which may be compacted with each other.
//
// Upstream: thanos pkg/compact/compact.go (DefaultGrouper, Group)
// Threads:  values and free functions.

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "blocks/meta_fetcher.h"

namespace gauntlet::compactor {

using BlockList = std::vector<blocks::MetaPtr>;

struct Group {
  std::string key;                            // "300000@<hash of the labels>": of directories, leases, marks
  std::map<std::string, std::string> labels;  // external ones, without replica labels
  int64_t resolution_ms = 0;
  BlockList blocks;  // by start, then id

  // "0@{cluster=\"eu\"}": of logs.
  std::string Name() const;
  std::string ResolutionText() const { return std::to_string(resolution_ms); }
};

// By key.
std::vector<Group> GroupBlocks(const blocks::MetaMap& metas);

// Blocks by start, then id.
void SortByTime(BlockList* blocks);

// The first blocks, by start, of which each overlaps one before it; empty when none do. REQUIRES: sorted by time.
BlockList FirstOverlap(const BlockList& blocks);
// All such runs.
std::vector<BlockList> Overlaps(const BlockList& blocks);

// "extensions" of a block made of these: the members that all of those have which have any, as the first has them; ""
// for none.
std::string CombineExtensions(const BlockList& blocks);

// "01A... [2026-01-05T00:00:00Z, 2026-01-05T02:00:00Z)": of logs and marks.
std::string Describe(const blocks::Meta& meta);
std::string DescribeIds(const BlockList& blocks);

}  // namespace gauntlet::compactor
