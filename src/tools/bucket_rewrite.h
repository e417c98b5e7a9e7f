// `tools bucket rewrite`: a block again without what is to be deleted, and with other labels.
//
// Upstream: thanos pkg/compactv2
// Threads:  free functions; they block.

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/status.h"
#include "blocks/thanos_meta.h"
#include "io/file_system.h"
#include "model/matcher.h"
#include "model/relabel.h"
#include "tsdb/block/tombstones.h"

namespace gauntlet::tools {

// What is deleted of the series that all matchers match; a series without the label matches none.
struct DeletionRequest {
  std::string text;  // of the matchers
  Matchers matchers;
  std::vector<tsdb::Interval> intervals;  // empty: all of the series
  std::string request_id;
};
// A YAML list of matchers, intervals (of mint and maxt) and request_id.
Result<std::vector<DeletionRequest>> ParseDeletions(std::string_view yaml);

struct RewriteRequest {
  std::vector<DeletionRequest> deletions;
  std::vector<RelabelConfig> relabels;  // come first
};

struct RewriteOptions {
  bool dry_run = true;
  // Told of each series that is changed, dropped or loses samples: a line as of Thanos' change.log. May be null.
  std::function<void(const std::string& line)> on_change;
};

// Writes `parent`/`id` from the block `parent`/`from`, with its whole meta. Nothing of it when `dry_run`, or when no
// series is left: then the result is nothing, too.
Result<std::optional<blocks::Meta>> RewriteBlock(io::FileSystem& files, const std::string& parent,
                                                 const blocks::Meta& from, const Ulid& id,
                                                 const RewriteRequest& request, const RewriteOptions& options,
                                                 const Cancel& cancel);

}  // namespace gauntlet::tools
