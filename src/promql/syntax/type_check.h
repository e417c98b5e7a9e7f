// Types: whether each operand, argument and parameter is of a type that its place allows.
//
// Upstream: prometheus promql/parser/parse.go (checkAST)
// Threads:  a function on the caller's tree.

#pragma once

#include <string_view>

#include "base/status.h"
#include "promql/syntax/ast.h"

namespace gauntlet::promql {

// The first error in upstream's order. Also settles what depends on types: takes `matching` away from operators that
// are not between vectors, makes set operators many-to-many, and marks the second argument of info().
Status CheckTypes(std::string_view query, Expr& root);

}  // namespace gauntlet::promql
