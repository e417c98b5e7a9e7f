// BlockMeta: meta.json, what a block says of itself. Keys that are not known here survive, as they stand.
//
// Format:   docs/format/meta.md      Upstream: prometheus tsdb/block.go (BlockMeta)
// Threads:  values.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/ulid.h"
#include "tsdb/block/meta_json.h"

namespace gauntlet::tsdb {

struct BlockStats {
  uint64_t samples = 0, float_samples = 0, histogram_samples = 0, series = 0, chunks = 0, tombstones = 0;
  std::vector<RawMember> more;
  bool operator==(const BlockStats&) const = default;
};

struct BlockParent {
  Ulid ulid;
  int64_t mint_ms = 0, maxt_ms = 0;
  bool operator==(const BlockParent&) const = default;
};

struct BlockCompaction {
  int64_t level = 1;
  std::vector<Ulid> sources;
  bool deletable = false;
  std::vector<BlockParent> parents;
  bool failed = false;
  std::vector<std::string> hints;
  std::vector<RawMember> more;
  bool operator==(const BlockCompaction&) const = default;
};

struct BlockMeta {
  Ulid ulid;
  int64_t mint_ms = 0, maxt_ms = 0;  // maxt is exclusive
  BlockStats stats;
  BlockCompaction compaction;
  std::vector<RawMember> more;  // "thanos" is one of them
  bool operator==(const BlockMeta&) const = default;

  // The raw value of an unknown key; nothing when absent.
  std::string_view extra(std::string_view key) const;
};

// kCorrupt for bytes that do not parse, kUnsupported for another version than 1.
Result<BlockMeta> ParseBlockMeta(std::string_view text);
// With tabs, as upstream writes it; unknown keys behind the known ones of their object.
std::string FormatBlockMeta(const BlockMeta& meta);

}  // namespace gauntlet::tsdb
