// Queries parsed with all of the language, for tests of this module.
//
// Threads: functions.

#pragma once

#include <gtest/gtest.h>

#include <string_view>
#include <utility>

#include "promql/syntax/parser.h"

namespace gauntlet::promql {

inline ParserOptions AllOn() {
  ParserOptions options;
  options.experimental_functions = options.extended_range_selectors = options.binop_fill = true;
  return options;
}

// Null, and a failure, when it does not parse.
inline ExprPtr Parse(std::string_view query) {
  Result<ExprPtr> e = ParseExpr(query, AllOn());
  EXPECT_TRUE(e.ok()) << query << "\n" << e.status().message();
  return e.ok() ? *std::move(e) : nullptr;
}

}  // namespace gauntlet::promql
