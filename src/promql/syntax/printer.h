// The printer: a tree back to PromQL, normalised, byte for byte as upstream's String() (but for the selector {}, which
// upstream loses).
//
// What it prints parses to the same tree, but for durations below a millisecond.
//
// Upstream: prometheus promql/parser/printer.go
// Threads:  pure functions.

#pragma once

#include <string>

#include "promql/syntax/ast.h"

namespace gauntlet::promql {

std::string ToString(const Expr& e);
// Gives up soon after `out` holds more than `bytes_max`.
void AppendTo(std::string& out, const Expr& e, size_t bytes_max = std::string::npos);

// Pieces, for the prettifier and for EXPLAIN.
void AppendAggregateHead(std::string& out, const AggregateExpr& e);  // sum by (a)_
void AppendBinaryOperator(std::string& out, const BinaryExpr& e);    // == bool on (a) group_left (b)
void AppendSubquerySuffix(std::string& out, const SubqueryExpr& e);  // [5m:1m] @ 1.000 offset 1m
const char* DurationOpText(DurationExpr::Op op);

}  // namespace gauntlet::promql
