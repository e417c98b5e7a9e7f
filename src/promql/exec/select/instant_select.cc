#include "promql/exec/select/instant_select.h"

#include <limits>

#include "model/stale.h"
#include "promql/exec/histograms/histogram_statistics.h"
#include "promql/exec/range/extended_windows.h"
#include "promql/exec/range/time_walk.h"
#include "promql/exec/range/windows.h"

namespace gauntlet::promql {
namespace {

class InstantReader : public SeriesReader {
 public:
  InstantReader(const VectorSelectNode& node, InstantValue value) : node_(node), value_(value) {}

  Status Read(const storage::Series& series, Row* row, WorkerScratch* scratch) const override {
    Samples& samples = scratch->samples;
    samples.Clear();
    GN_TRY(series.Read(&samples));
    if (samples.size() == 0) return Status();
    GN_TRY(scratch->CheckCancelBehind(samples.size()));
    if (node_.histogram_statistics) KeepStatistics({node_.grid, node_.shift_ms, node_.lookback_ms - 1}, &samples);
    row->column = Column(node_.grid.steps);
    int64_t points = samples.floats_only() ? SelectFloats(samples, scratch, &row->column)
                                           : SelectMixed(&samples, *scratch, &row->column);
    GN_TRY(scratch->CheckCancelBehind(node_.grid.steps));
    if (points == 0) return Status();
    if (points < 0) {
      return Status(Code::kInvalid, "this should be an info metric, with float samples: " + series.labels().ToString());
    }
    if (value_ == InstantValue::kNothing) {
      Count(points, row->column, scratch);
      row->column = Column(node_.grid.steps);
      return Status();
    }
    row->labels = Labels(series.labels());
    Count(points, row->column, scratch);
    return Status();
  }

 private:
  // Of the time of a sample; `values` are asked for otherwise.
  double TimeOf(const Samples& samples, size_t at) const {
    if (value_ == InstantValue::kTimeMs) return static_cast<double>(samples.times_ms[at]);
    if (value_ == InstantValue::kTimestamp) return static_cast<double>(samples.times_ms[at]) / 1000;
    return samples.start_times_ms.empty() ? 0 : static_cast<double>(samples.start_times_ms[at]) / 1000;
  }

  bool WantsSamples() const { return value_ == InstantValue::kSample; }

  int64_t SelectFloats(const Samples& samples, WorkerScratch* scratch, Column* column) const {
    if (WantsSamples()) {
      return SelectFloats(samples, [v = samples.values.data()](size_t at) { return v[at]; }, scratch, column);
    }
    return SelectFloats(samples, [&](size_t at) { return TimeOf(samples, at); }, scratch, column);
  }

  template <typename ValueAt>
  int64_t SelectFloats(const Samples& samples, ValueAt value, WorkerScratch* scratch, Column* column) const {
    const int64_t* times = samples.times_ms.data();
    const auto size = static_cast<uint32_t>(samples.size());
    const int64_t step_ms = node_.grid.step_ms, reference = node_.grid.start_ms - node_.shift_ms;
    if (RegularWalk::Suits(times, size, reference, reference, step_ms)) {
      std::vector<uint32_t>& counts = scratch->hi;
      counts.resize(node_.grid.steps);
      RegularWalk walk(times, size, reference, step_ms);
      const bool whole = InBlocks(
          node_.grid.steps, [scratch] { return scratch->Ended(); },
          [&](uint32_t begin, uint32_t end) { walk.Count(end - begin, counts.data() + begin); });
      if (!whole) return 0;
      if (times[1] - times[0] <= node_.lookback_ms && !HasStaleNaN(samples.values)) {
        return SelectWithoutGap(times[size - 1], counts, value, scratch, column);
      }
      return SelectFloats(samples, value, *scratch, column, [at = counts.data()](int64_t) mutable { return *at++; });
    }
    const uint32_t usual = UsualMove(step_ms, size, times[0], times[size - 1]);
    return SelectFloats(samples, value, *scratch, column, [=, at = uint32_t{0}](int64_t limit) mutable {
      at = MoveBeyond(at, size, limit, usual, [times](uint32_t i) { return times[i]; });
      return at;
    });
  }

  // Of a series that has a sample within the lookback at every step from its first one until a lookback after its last.
  template <typename ValueAt>
  int64_t SelectWithoutGap(int64_t last_ms, const std::vector<uint32_t>& counts, ValueAt value, WorkerScratch* scratch,
                           Column* column) const {
    const StepGrid& grid = node_.grid;
    const auto first = std::upper_bound(counts.begin(), counts.end(), 0u) - counts.begin();
    const int64_t left_ms = last_ms + node_.lookback_ms - (grid.start_ms - node_.shift_ms);
    const int64_t last = left_ms <= 0 ? 0 : grid.step_ms == 0 ? grid.steps : (left_ms - 1) / grid.step_ms + 1;
    const auto begin = static_cast<uint32_t>(first), end = static_cast<uint32_t>(std::min<int64_t>(last, grid.steps));
    if (begin >= end) return 0;
    double* out = column->values();
    InBlocks(
        end - begin, [scratch] { return scratch->Ended(); },
        [&](uint32_t from, uint32_t to) {
          for (uint32_t step = begin + from; step < begin + to; ++step) out[step] = value(counts[step] - 1);
        });
    column->SetPresent(begin, end);
    return end - begin;
  }

  // `count_to(reference)`: the samples up to there, asked for each step in turn. Stops, with what it has, when the
  // query is over.
  template <typename ValueAt, typename CountTo>
  int64_t SelectFloats(const Samples& samples, ValueAt value, const WorkerScratch& scratch, Column* column,
                       CountTo count_to) const {
    const int64_t* times = samples.times_ms.data();
    const double* values = samples.values.data();
    double* out = column->values();
    uint64_t* present = column->present();
    const int64_t step_ms = node_.grid.step_ms, lookback = node_.lookback_ms;
    const uint32_t steps = node_.grid.steps;
    int64_t reference = node_.grid.start_ms - node_.shift_ms;
    int64_t points = 0;
    for (uint32_t begin = 0; begin < steps; begin += 64) {
      if (begin % kPollSteps == kPollSteps - 64 && scratch.Ended()) return points;
      uint64_t bits = 0;
      uint32_t end = std::min(begin + 64, steps);
      for (uint32_t step = begin; step < end; ++step, reference += step_ms) {
        const uint32_t next = count_to(reference);
        // With next == 0 this reads sample 0, which lies after the reference: the test below refuses it.
        const uint32_t at = next - (next != 0);
        int64_t age = reference - times[at];
        bool usable = age >= 0 && age < lookback && !IsStaleNaN(values[at]);
        out[step] = value(at);
        bits |= uint64_t{usable} << (step - begin);
      }
      present[begin / 64] = bits;
      points += std::popcount(bits);
    }
    return points;
  }

  // -1 for a histogram where none may be.
  int64_t SelectMixed(Samples* samples, const WorkerScratch& scratch, Column* column) const {
    auto next_histogram = samples->histograms.begin();
    std::shared_ptr<const Histogram> current;  // of sample `current_at`
    size_t current_at = std::numeric_limits<size_t>::max();
    int64_t points = 0;
    size_t next = 0;
    for (uint32_t step = 0; step < node_.grid.steps; ++step) {
      if (step % kPollSteps == kPollSteps - 1 && scratch.Ended()) return points;
      int64_t reference = node_.grid.time_ms(step) - node_.shift_ms;
      while (next < samples->size() && samples->times_ms[next] <= reference) ++next;
      if (next == 0 || reference - samples->times_ms[next - 1] >= node_.lookback_ms) continue;
      size_t at = next - 1;
      if (at != current_at) {
        current_at = at;
        current = nullptr;
        while (next_histogram != samples->histograms.end() && next_histogram->position < at) ++next_histogram;
        if (next_histogram != samples->histograms.end() && next_histogram->position == at) {
          current = std::make_shared<const Histogram>(std::move(next_histogram->histogram));
        }
      }
      bool is_float = current == nullptr;
      if (is_float ? IsStaleNaN(samples->values[at]) : current->stale()) continue;
      if (value_ == InstantValue::kTimeMs && !is_float) return -1;
      if (!WantsSamples()) {
        column->Set(step, TimeOf(*samples, at));
        ++points;
      } else if (is_float) {
        column->Set(step, samples->values[at]);
        ++points;
      } else {
        column->histograms().push_back({step, current});
        points += HistogramSampleCount(*current);
      }
    }
    return points;
  }

  static void Count(int64_t points, const Column& column, WorkerScratch* scratch) {
    scratch->total += points;
    scratch->read += points;
    if (!scratch->total_per_step.empty()) CountSteps(column, scratch);
  }

  static void CountSteps(const Column& column, WorkerScratch* scratch) {
    auto add = [scratch](uint32_t step, int64_t n) {
      scratch->total_per_step[step] += n;
      scratch->read_per_step[step] += n;
    };
    ForEachBit(column.present(), column.words(), [&](uint32_t step) { add(step, 1); });
    for (const HistogramPoint& p : column.histograms()) add(p.step, HistogramSampleCount(*p.histogram));
  }

  const VectorSelectNode& node_;
  const InstantValue value_;
};

// At each step the samples within the lookback on both sides.
class SmoothedReader : public SeriesReader {
 public:
  explicit SmoothedReader(const VectorSelectNode& node) : node_(node) {
    spec_.grid = node.grid;
    spec_.shift_ms = node.shift_ms;
    spec_.range_ms = spec_.after_ms = node.lookback_ms;
    spec_.counts = false;
  }

  Status Read(const storage::Series& series, Row* row, WorkerScratch* scratch) const override {
    Samples& samples = scratch->samples;
    samples.Clear();
    GN_TRY(series.Read(&samples));
    if (node_.histogram_statistics) {
      KeepStatistics({spec_.grid, spec_.shift_ms - spec_.after_ms, spec_.range_ms + spec_.after_ms}, &samples);
    }
    SeriesWindows windows;
    if (samples.size() == 0) return Status();
    if (!MakeWindows(spec_, series.labels(), &samples, scratch, &windows)) {
      return scratch->CheckCancelBehind(spec_.grid.steps);
    }
    row->column = Column(spec_.grid.steps);
    GN_TRY(SmoothInstants(windows, node_.pos, &row->column, scratch));
    if (!row->column.empty()) row->labels = Labels(series.labels());
    return Status();
  }

 private:
  const VectorSelectNode& node_;
  WindowSpec spec_;
};

}  // namespace

std::unique_ptr<SeriesReader> MakeSmoothedReader(const VectorSelectNode& node) {
  return std::make_unique<SmoothedReader>(node);
}

std::unique_ptr<SeriesReader> MakeInstantReader(const VectorSelectNode& node, InstantValue value) {
  return std::make_unique<InstantReader>(node, value);
}

}  // namespace gauntlet::promql
