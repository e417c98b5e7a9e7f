// Names of metrics and labels in places that take only legacy characters, such as the path of
// /api/v1/label/<name>/values.
//
// Upstream: prometheus/common model/metric.go (EscapeName, UnescapeName with ValueEncodingEscaping)
// Threads:  pure functions.

#pragma once

#include <string>
#include <string_view>

namespace gauntlet {

// "U__http_2e_method" -> "http.method"; a name that is not escaped, or not well, is returned as it is.
std::string UnescapeName(std::string_view name);
// The inverse: legacy names stay as they are.
std::string EscapeName(std::string_view name);

}  // namespace gauntlet
