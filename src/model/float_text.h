// Floats as Go writes them: the shortest digits that read back, in the notations that Prometheus uses in its places.
//
// Upstream: Go strconv.FormatFloat(f, fmt, -1, 64)

#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace gauntlet {

inline constexpr size_t kFloatTextMax = 400;  // 'f' of the largest and the smallest float

// Each writes at `out`, which has kFloatTextMax bytes, and returns the end. NaN, +Inf, -Inf.
char* WriteFloatF(double v, char* out);    // 'f': never an exponent
char* WriteFloatE(double v, char* out);    // 'e': 1e+00
char* WriteFloatG(double v, char* out);    // 'g': 0.0001 to 999999 fixed, otherwise 'e': 1e+06
char* WriteFloatApi(double v, char* out);  // the JSON API: 'f', but 'e' (1e-9, 1e+21) below 1e-6 or from 1e21

std::string FormatFloatF(double v);
std::string FormatFloatE(double v);
std::string FormatFloatG(double v);
std::string FormatFloatApi(double v);

// Go strconv.ParseFloat(s, 64): decimal, hex, "inf", "nan", underscores are not accepted.
Result<double> ParseFloat(std::string_view text);

}  // namespace gauntlet
