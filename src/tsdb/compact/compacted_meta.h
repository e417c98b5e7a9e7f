// CompactedMeta: what the meta.json of a merged block says, and the block's id.
//
// Upstream: prometheus tsdb/compact.go (CompactBlockMetas); the id is ours
// Threads:  free functions on values.

#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/ulid.h"
#include "tsdb/block/block_meta.h"

namespace gauntlet::tsdb {

// Of the block that is made of these: the span of all, a level above the highest, their sources each once, they
// themselves as parents in the order given, the hints that hold for the whole. Counts are left to the sink, the
// "thanos" section and other keys to the caller. REQUIRES: not empty.
BlockMeta CompactedMeta(std::span<const BlockMeta* const> blocks, const Ulid& ulid);

// The id of what is made of these blocks by these parameters ("penalty", "downsample 300000"): always the same, in
// whatever order they are given, so that doing the work twice does no harm. Its time is that of the newest one. Where
// that id is taken by a block that is marked for deletion, the next `salt` gives another one.
Ulid OutputUlid(std::span<const Ulid> blocks, std::string_view parameters, uint32_t salt);

}  // namespace gauntlet::tsdb
