// What is in a bucket, as `tools bucket ls` and `tools bucket inspect` print it.
//
// Upstream: thanos cmd/thanos/tools_bucket.go
// Threads:  free functions.

#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "blocks/meta_fetcher.h"

namespace gauntlet::tools {

// `format`: "" (ids), "wide", "json", or a template of Go with fields of a meta: "{{.ULID}} {{.Thanos.Source}}".
Result<std::string> FormatBlocks(const blocks::MetaMap& metas, const std::string& format);

struct InspectOptions {
  std::map<std::string, std::string> selector;  // external labels that a block must have
  std::vector<std::string> sort_by = {"FROM", "UNTIL"};
  std::string output = "table";  // "csv", "tsv"
};
Result<std::string> InspectBlocks(const blocks::MetaMap& metas, const InspectOptions& options);

// `name="value"` of flags.
Result<std::map<std::string, std::string>> ParseLabelFlags(const std::vector<std::string>& flags);

}  // namespace gauntlet::tools
