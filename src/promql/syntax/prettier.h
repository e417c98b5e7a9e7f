// The prettifier: PromQL over several lines, byte for byte as upstream's Prettify().
//
// An expression of up to 100 bytes stays on its line; a longer one puts its operands on lines of their own, two spaces
// further in. Selectors are never split, comments are lost.
//
// Upstream: prometheus promql/parser/prettier.go
// Threads:  pure functions.

#pragma once

#include <string>

#include "promql/syntax/ast.h"

namespace gauntlet::promql {

std::string Prettify(const Expr& e);

}  // namespace gauntlet::promql
