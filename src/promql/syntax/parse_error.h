// Parse errors, as upstream words them: "<line>:<column>: parse error: <what>".
//
// Upstream: prometheus promql/parser/parse.go (ParseErr), posrange/posrange.go
// Threads:  values and pure functions.

#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace gauntlet::promql {

// Where a byte offset is: "<line>:<column>", both from 1, the column in bytes. "unknown position" in an empty query.
std::string PositionText(std::string_view query, int pos);
// kInvalid.
Status ParseErrorAt(std::string_view query, int pos, std::string_view what);

}  // namespace gauntlet::promql
