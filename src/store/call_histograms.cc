#include "store/call_histograms.h"

#include <cmath>
#include <limits>
#include <utility>

#include "model/float_text.h"

namespace gauntlet::store {
namespace {

constexpr double kQuantiles[] = {0.5, 0.9, 0.99};

// Within the bucket that holds it, as histogram_quantile has it; NaN without observations.
double QuantileOf(const telemetry::Histogram& histogram, double q) {
  std::vector<uint64_t> counts = histogram.counts();
  double all = 0;
  for (uint64_t n : counts) all += static_cast<double>(n);
  if (all == 0) return std::numeric_limits<double>::quiet_NaN();
  double rank = q * all, before = 0, lower = 0;
  for (size_t i = 0; i < histogram.bounds().size(); ++i) {
    auto here = static_cast<double>(counts[i]);
    if (here > 0 && before + here >= rank) {
      return lower + (histogram.bounds()[i] - lower) * (rank - before) / here;
    }
    before += here;
    lower = histogram.bounds()[i];
  }
  return lower;
}

}  // namespace

struct CallHistograms::State {
  std::vector<std::string> label_names;
  std::vector<double> bounds;
  Mutex mutex;
  std::map<std::vector<std::string>, std::unique_ptr<telemetry::Histogram>> children GN_GUARDED_BY(mutex);

  std::vector<telemetry::Sample> Collect() {
    std::vector<telemetry::Sample> samples;
    MutexLock lock(mutex);
    for (const auto& [values, histogram] : children) {
      telemetry::LabelPairs labels;
      for (size_t i = 0; i < label_names.size(); ++i) labels.emplace_back(label_names[i], values[i]);
      auto with = [&](const char* name, std::string value) {
        telemetry::LabelPairs more = labels;
        more.emplace_back(name, std::move(value));
        return more;
      };
      for (double q : kQuantiles) samples.push_back({"", with("quantile", FormatFloatG(q)), QuantileOf(*histogram, q)});
      double count = 0;
      std::vector<uint64_t> counts = histogram->counts();
      for (size_t i = 0; i < counts.size(); ++i) {
        count += static_cast<double>(counts[i]);
        std::string le = i < bounds.size() ? FormatFloatG(bounds[i]) : "+Inf";
        samples.push_back({"_bucket", with("le", std::move(le)), count});
      }
      samples.push_back({"_sum", labels, histogram->sum()});
      samples.push_back({"_count", labels, count});
    }
    return samples;
  }
};

CallHistograms::CallHistograms(telemetry::Registry& registry, std::string name, std::string help,
                               std::vector<std::string> label_names, std::vector<double> bounds)
    : state_(std::make_shared<State>()) {
  state_->label_names = std::move(label_names);
  state_->bounds = std::move(bounds);
  registry.MakeCollected(std::move(name), std::move(help), "summary", [state = state_] { return state->Collect(); });
}

telemetry::Histogram& CallHistograms::With(std::initializer_list<std::string_view> values) {
  std::vector<std::string> key(values.begin(), values.end());
  MutexLock lock(state_->mutex);
  auto& child = state_->children[std::move(key)];
  if (child == nullptr) child = std::make_unique<telemetry::Histogram>(state_->bounds);
  return *child;
}

}  // namespace gauntlet::store
