// The parser: PromQL text to a checked tree.
//
// Errors are kInvalid and read as upstream's, "<line>:<column>: parse error: <what>", the first one only.
//
// Upstream: prometheus promql/parser/{parse.go,generated_parser.y}
// Threads:  functions without state.

#pragma once

#include <cstddef>
#include <string_view>

#include "base/status.h"
#include "model/labels.h"
#include "model/matcher.h"
#include "promql/syntax/ast.h"

namespace gauntlet::promql {

// Prometheus' defaults. Duration expressions are always on.
struct ParserOptions {
  bool experimental_functions = false;    // promql-experimental-functions
  bool extended_range_selectors = false;  // promql-extended-range-selectors: anchored, smoothed
  bool binop_fill = false;                // promql-binop-fill-modifiers: fill, fill_left, fill_right
  bool x_functions = false;               // Thanos' --query.enable-x-functions
  // Upstream has no such limits; they keep what recurses over a tree within a thread's stack.
  size_t query_bytes_max = 16 << 20;
  int depth_max = 2500;  // nodes on the longest way down; at most 60,000
};

// A whole expression, type-checked.
Result<ExprPtr> ParseExpr(std::string_view query, const ParserOptions& options = {});
// A selector without modifiers, as in match[]. One that selects everything is the caller's to refuse.
Result<Matchers> ParseMetricSelector(std::string_view text);
// name{label="value",...}
Result<Labels> ParseMetric(std::string_view text);

}  // namespace gauntlet::promql
