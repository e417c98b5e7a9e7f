// CallHistograms: histograms by labels that also tell quantiles, under the names that Thanos' dashboards ask for:
// Thanos made these histograms out of summaries, and its dashboards still read the summaries.
//
// Threads: thread-safe.           Owns: the histograms; they live as long as this, which must outlive its registry's
// use.

#pragma once

#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "telemetry/metrics.h"

namespace gauntlet::store {

class CallHistograms {
 public:
  CallHistograms(telemetry::Registry& registry, std::string name, std::string help,
                 std::vector<std::string> label_names, std::vector<double> bounds);

  // The one of these label values, made when it is new.
  telemetry::Histogram& With(std::initializer_list<std::string_view> values);

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the registry
};

}  // namespace gauntlet::store
