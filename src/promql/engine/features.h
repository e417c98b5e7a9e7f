// What --enable-feature means to the engine, by Prometheus' names.
//
// Upstream: prometheus cmd/prometheus/main.go
// Threads:  a function.

#pragma once

#include <string_view>

#include "promql/engine/engine.h"

namespace gauntlet::promql {

// Switches a feature on. False when the engine knows no such feature; those that are always on by now are known.
bool EnableFeature(std::string_view name, EngineOptions* options);

// For the help of the flag.
inline constexpr std::string_view kFeatureNames =
    "promql-experimental-functions, promql-delayed-name-removal, promql-extended-range-selectors, "
    "promql-binop-fill-modifiers, promql-per-step-stats, type-and-unit-labels, use-start-timestamps";

}  // namespace gauntlet::promql
