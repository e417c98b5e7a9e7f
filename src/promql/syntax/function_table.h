// The function table: names, argument types and result types of all PromQL functions.
//
// Prometheus 3.14's 90 functions and Thanos' three x-functions. What they compute is promql/exec's.
//
// Upstream: prometheus promql/parser/functions.go; thanos-io/promql-engine execution/parse/functions.go
// Threads:  immutable; safe from static initialisation on.

#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "promql/syntax/ast.h"

namespace gauntlet::promql {

struct Function {
  std::string_view name;
  std::span<const ValueType> arg_types;
  // 0: exactly arg_types.size() arguments. Otherwise the last type may be absent, and repeats: at most `variadic` times
  // when positive, without limit when negative.
  int variadic = 0;
  ValueType return_type = ValueType::kVector;
  bool experimental = false;  // needs --enable-feature=promql-experimental-functions
  bool x_function = false;    // needs Thanos' --query.enable-x-functions
};

// In order of name.
std::span<const Function> AllFunctions();
// Null when there is none. Names are case-sensitive.
const Function* FindFunction(std::string_view name);

}  // namespace gauntlet::promql
