// Floats as Go writes them: the shortest digits that read back, in the notations that Prometheus uses in its places.
//
// Upstream: Go strconv.AppendFloat(f, fmt, -1, 64)

#pragma once

#include <cstddef>

namespace gauntlet {

inline constexpr size_t kFloatTextMax = 400;  // 'f' of the largest and the smallest float

// Each writes at `out`, which has kFloatTextMax bytes, and returns the end. NaN, +Inf, -Inf.
char* WriteFloatF(double v, char* out);     // 'f': never an exponent
char* WriteFloatE(double v, char* out);     // 'e': 1e+00
char* WriteFloatG(double v, char* out);     // 'g': 0.0001 to 999999 fixed, otherwise 'e': 1e+06
char* WriteFloatApi(double v, char* out);   // the HTTP API: 'f', but 'e' (1e-09, 1e+21) below 1e-6 or from 1e21
char* WriteFloatJson(double v, char* out);  // encoding/json: as the API, but 1e-9

}  // namespace gauntlet
