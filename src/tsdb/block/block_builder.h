// BlockBuilder: floats collected in memory, series by series in order of time, written as one block: what a head does
// whose samples all come at once.
//
// Chunks are cut where upstream's head cuts them.
//
// Upstream: prometheus tsdb/blockwriter.go, tsdb/head_append.go
// Threads:  one thread at a time.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/status.h"
#include "io/file_system.h"
#include "model/labels.h"
#include "tsdb/block/block_meta.h"
#include "tsdb/chunkenc/xor.h"

namespace gauntlet::tsdb {

class BlockBuilder {
 public:
  // Chunks do not cross multiples of `chunk_range_ms`.
  explicit BlockBuilder(int64_t chunk_range_ms) : chunk_range_ms_(chunk_range_ms) {}

  // kOutOfOrder "out of order sample" for one before the series' last, and "duplicate sample for timestamp" for another
  // value at its time. The same sample again is ok.
  Status Append(LabelsView labels, int64_t time_ms, double value);

  bool empty() const { return series_.empty(); }
  // Writes `parent`/ULID, of level 1 and its own source. REQUIRES: not empty. Nothing may be appended afterwards.
  Result<BlockMeta> Write(io::FileSystem& files, const std::string& parent, Ulid ulid);

 private:
  struct Chunk {
    int64_t mint_ms, maxt_ms;
    std::string bytes;
  };
  struct Series {
    XorAppender open;
    int64_t open_mint_ms = 0, last_ms = 0, next_cut_ms = 0;
    double last_value = 0;
    std::vector<Chunk> chunks;
  };

  int64_t RangeEnd(int64_t time_ms) const;
  static void Close(Series& series);

  const int64_t chunk_range_ms_;
  std::unordered_map<std::string, std::unique_ptr<Series>> series_;  // by packed labels
  std::string key_;
  std::optional<int64_t> mint_ms_, maxt_ms_;
};

}  // namespace gauntlet::tsdb
