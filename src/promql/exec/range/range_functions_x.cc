// xrate, xincrease, xdelta: Thanos' rates that also look at the last sample before the window.
//
// xincrease never extrapolates, and gives a counter that has just appeared with one value that value as its increase.
// The other two stretch what they see to the whole window when the samples span it, and leave out a first sample that
// is older than the usual distance between samples. Durations are cut to whole seconds, as in Thanos.
//
// Upstream: thanos-io/promql-engine ringbuffer/functions.go (extendedRate)

#include <algorithm>
#include <limits>

#include "promql/exec/range/range_function.h"

namespace gauntlet::promql {
namespace {

class XRate : public RangeFunction {
 public:
  XRate(bool is_counter, bool is_rate) : is_counter_(is_counter), is_rate_(is_rate) {}

  Status Run(const RangeCall& call, const SeriesWindows& w, Column* out, WorkerScratch* scratch) const override {
    if (!w.histograms.empty()) {
      return Status(Code::kInvalid, "native histograms are not supported in extended range functions");
    }
    const FloatWindows& f = w.floats;
    std::vector<uint32_t>& resets = scratch->indexes;
    std::vector<uint32_t> same_since(f.size);  // the first sample of the run of equal values that ends here
    resets.clear();
    for (uint32_t i = 1; i < f.size; ++i) {
      if (f.values[i] < f.values[i - 1]) resets.push_back(i);
      same_since[i] = f.values[i] == f.values[i - 1] ? same_since[i - 1] : i;
    }
    auto reset = resets.begin();  // the first one beyond the window's first sample
    ForEachFloatWindow(w, [&](uint32_t step, uint32_t lo, uint32_t hi) {
      const int64_t* times = f.times_ms;
      uint32_t first = static_cast<uint32_t>(std::upper_bound(times + lo, times + hi, w.start_ms(step)) - times);
      if (first > lo) --first;
      while (reset != resets.end() && *reset <= first) ++reset;
      const bool same = same_since[hi - 1] <= first;
      out->Set(step, Value(call, w, step, first, hi, same, reset, resets.end()));
    });
    return Status();
  }

 private:
  using Resets = std::vector<uint32_t>::const_iterator;

  double Value(const RangeCall& call, const SeriesWindows& w, uint32_t step, uint32_t first, uint32_t hi, bool same,
               Resets reset, Resets resets_end) const {
    const FloatWindows& f = w.floats;
    const bool is_increase = is_counter_ && !is_rate_;
    const int64_t end = w.end_ms(step), start = w.start_ms(step);
    if (is_increase && same && end <= f.times_ms[0] + call.range_ms) return f.values[first];

    const uint32_t last = hi - 1;
    uint32_t gaps = last - first;
    auto average = [&] {  // not a number without a gap: then no comparison holds
      return gaps == 0 ? std::numeric_limits<double>::quiet_NaN()
                       : static_cast<double>(f.times_ms[last] - f.times_ms[first]) / static_cast<double>(gaps);
    };
    double distance = average();
    if (!is_increase && static_cast<double>(start - f.times_ms[first]) > distance) {
      if (gaps < 2) return 0;
      ++first;
      --gaps;
      distance = average();
    }
    double correction = 0;
    if (is_counter_) {
      while (reset != resets_end && *reset <= first) ++reset;
      for (; reset != resets_end && *reset < hi; ++reset) correction += f.values[*reset - 1];
    }
    double result = f.values[last] - f.values[first] + correction;
    const int64_t whole_seconds = call.range_ms / 1000;
    const auto seconds = static_cast<double>(whole_seconds);
    if (!is_increase && f.times_ms[first] <= start && static_cast<double>(end - f.times_ms[last]) < distance) {
      result = result * (seconds / (static_cast<double>(f.times_ms[last] - f.times_ms[first]) / 1000));
    }
    return is_rate_ ? result / seconds : result;
  }

  const bool is_counter_, is_rate_;
};

}  // namespace

std::unique_ptr<RangeFunction> MakeXFunction(std::string_view name) {
  if (name == "xrate") return std::make_unique<XRate>(true, true);
  if (name == "xincrease") return std::make_unique<XRate>(true, false);
  if (name == "xdelta") return std::make_unique<XRate>(false, false);
  return nullptr;
}

}  // namespace gauntlet::promql
