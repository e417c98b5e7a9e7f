#include "promql/engine/features.h"

#include <algorithm>
#include <iterator>

namespace gauntlet::promql {
namespace {

struct Feature {
  std::string_view name;
  bool EngineOptions::* option;
};

constexpr Feature kFeatures[] = {
    {"promql-binop-fill-modifiers", &EngineOptions::binop_fill_modifiers},
    {"promql-delayed-name-removal", &EngineOptions::delayed_name_removal},
    {"promql-experimental-functions", &EngineOptions::experimental_functions},
    {"promql-extended-range-selectors", &EngineOptions::extended_range_selectors},
    {"promql-per-step-stats", &EngineOptions::per_step_stats},
    {"type-and-unit-labels", &EngineOptions::type_and_unit_labels},
    {"use-start-timestamps", &EngineOptions::use_start_timestamps},
};

// Once features, now always on.
constexpr std::string_view kAlwaysOn[] = {"native-histograms", "promql-at-modifier", "promql-duration-expr",
                                          "promql-negative-offset"};

}  // namespace

bool EnableFeature(std::string_view name, EngineOptions* options) {
  for (const Feature& feature : kFeatures) {
    if (feature.name != name) continue;
    options->*feature.option = true;
    return true;
  }
  return std::find(std::begin(kAlwaysOn), std::end(kAlwaysOn), name) != std::end(kAlwaysOn);
}

}  // namespace gauntlet::promql
