// Floats as Go writes them: the shortest digits that read back, in the notations that Prometheus uses in its places.
//
// Upstream: Go strconv.FormatFloat(f, fmt, -1, 64)

#pragma once

#include <string>
#include <string_view>

#include "base/float_format.h"
#include "base/status.h"

namespace gauntlet {

std::string FormatFloatF(double v);
std::string FormatFloatE(double v);
std::string FormatFloatG(double v);
std::string FormatFloatApi(double v);

// Go strconv.ParseFloat(s, 64): decimal, hex, "inf", "nan", underscores are not accepted.
Result<double> ParseFloat(std::string_view text);

}  // namespace gauntlet
