// A tree as JSON: the answer of /api/v1/parse_query.
//
// Keys are in order of name and durations in milliseconds, as upstream's.
//
// Upstream: prometheus web/api/v1/translate_ast.go
// Threads:  a function; the tree is only read.

#pragma once

#include "json/writer.h"
#include "promql/syntax/ast.h"

namespace gauntlet::promql {

void WriteJson(json::Writer& out, const Expr& e);

}  // namespace gauntlet::promql
