// Signatures are spelled in letters: V instant vector, M range vector, S scalar, T text.

#include "promql/syntax/function_table.h"

#include <algorithm>

namespace gauntlet::promql {
namespace {

constexpr ValueType V = ValueType::kVector, M = ValueType::kMatrix, S = ValueType::kScalar, T = ValueType::kString;

constexpr ValueType kM[] = {M};
constexpr ValueType kS[] = {S};
constexpr ValueType kV[] = {V};
constexpr ValueType kMS[] = {M, S};
constexpr ValueType kSM[] = {S, M};
constexpr ValueType kSS[] = {S, S};
constexpr ValueType kSV[] = {S, V};
constexpr ValueType kVS[] = {V, S};
constexpr ValueType kVT[] = {V, T};
constexpr ValueType kVV[] = {V, V};
constexpr ValueType kMSS[] = {M, S, S};
constexpr ValueType kSSV[] = {S, S, V};
constexpr ValueType kVSS[] = {V, S, S};
constexpr ValueType kVTSS[] = {V, T, S, S};
constexpr ValueType kVTTT[] = {V, T, T, T};
constexpr ValueType kVTTTT[] = {V, T, T, T, T};

enum Gate : uint8_t { kStable, kExperimental, kX };

constexpr Function Make(std::string_view name, std::span<const ValueType> args, ValueType result, int variadic = 0,
                        Gate gate = kStable) {
  return {name, args, variadic, result, gate == kExperimental, gate == kX};
}

// Sorted by name, for FindFunction.
constexpr Function kFunctions[] = {
    Make("abs", kV, V),
    Make("absent", kV, V),
    Make("absent_over_time", kM, V),
    Make("acos", kV, V),
    Make("acosh", kV, V),
    Make("asin", kV, V),
    Make("asinh", kV, V),
    Make("atan", kV, V),
    Make("atanh", kV, V),
    Make("avg_over_time", kM, V),
    Make("ceil", kV, V),
    Make("changes", kM, V),
    Make("clamp", kVSS, V),
    Make("clamp_max", kVS, V),
    Make("clamp_min", kVS, V),
    Make("cos", kV, V),
    Make("cosh", kV, V),
    Make("count_over_time", kM, V),
    Make("day_of_month", kV, V, 1),
    Make("day_of_week", kV, V, 1),
    Make("day_of_year", kV, V, 1),
    Make("days_in_month", kV, V, 1),
    Make("deg", kV, V),
    Make("delta", kM, V),
    Make("deriv", kM, V),
    Make("double_exponential_smoothing", kMSS, V, 0, kExperimental),
    Make("end", {}, S, 0, kExperimental),
    Make("exp", kV, V),
    Make("first_over_time", kM, V),
    Make("floor", kV, V),
    Make("histogram_avg", kV, V),
    Make("histogram_count", kV, V),
    Make("histogram_fraction", kSSV, V),
    Make("histogram_quantile", kSV, V),
    Make("histogram_quantiles", kVTSS, V, 9, kExperimental),
    Make("histogram_stddev", kV, V),
    Make("histogram_stdvar", kV, V),
    Make("histogram_sum", kV, V),
    Make("hour", kV, V, 1),
    Make("idelta", kM, V),
    Make("increase", kM, V),
    Make("info", kVV, V, 1, kExperimental),
    Make("irate", kM, V),
    Make("label_join", kVTTT, V, -1),
    Make("label_replace", kVTTTT, V),
    Make("last_over_time", kM, V),
    Make("ln", kV, V),
    Make("log10", kV, V),
    Make("log2", kV, V),
    Make("mad_over_time", kM, V, 0, kExperimental),
    Make("max_of", kSS, S, 0, kExperimental),
    Make("max_over_time", kM, V),
    Make("min_of", kSS, S, 0, kExperimental),
    Make("min_over_time", kM, V),
    Make("minute", kV, V, 1),
    Make("month", kV, V, 1),
    Make("pi", {}, S),
    Make("predict_linear", kMS, V),
    Make("present_over_time", kM, V),
    Make("quantile_over_time", kSM, V),
    Make("rad", kV, V),
    Make("range", {}, S, 0, kExperimental),
    Make("rate", kM, V),
    Make("resets", kM, V),
    Make("round", kVS, V, 1),
    Make("scalar", kV, S),
    Make("sgn", kV, V),
    Make("sin", kV, V),
    Make("sinh", kV, V),
    Make("sort", kV, V),
    Make("sort_by_label", kVT, V, -1, kExperimental),
    Make("sort_by_label_desc", kVT, V, -1, kExperimental),
    Make("sort_desc", kV, V),
    Make("sqrt", kV, V),
    Make("start", {}, S, 0, kExperimental),
    Make("start_timestamp", kV, V, 0, kExperimental),
    Make("stddev_over_time", kM, V),
    Make("stdvar_over_time", kM, V),
    Make("step", {}, S, 0, kExperimental),
    Make("sum_over_time", kM, V),
    Make("tan", kV, V),
    Make("tanh", kV, V),
    Make("time", {}, S),
    Make("timestamp", kV, V),
    Make("ts_of_first_over_time", kM, V, 0, kExperimental),
    Make("ts_of_last_over_time", kM, V, 0, kExperimental),
    Make("ts_of_max_over_time", kM, V, 0, kExperimental),
    Make("ts_of_min_over_time", kM, V, 0, kExperimental),
    Make("vector", kS, V),
    Make("xdelta", kM, V, 0, kX),
    Make("xincrease", kM, V, 0, kX),
    Make("xrate", kM, V, 0, kX),
    Make("year", kV, V, 1),
};

static_assert(std::ranges::is_sorted(kFunctions, {}, &Function::name));

}  // namespace

std::span<const Function> AllFunctions() { return kFunctions; }

const Function* FindFunction(std::string_view name) {
  const Function* at = std::ranges::lower_bound(kFunctions, name, {}, &Function::name);
  return at != std::end(kFunctions) && at->name == name ? at : nullptr;
}

}  // namespace gauntlet::promql
