// Row: one series of an evaluation, with its values at all steps of a grid.
//
// Floats lie in one dense array beside a bitmap of the steps that have one; where a bit is clear, the array holds some
// initialised number that means nothing. Native histograms are rare: a sorted list of (step, histogram). A step has a
// float, a histogram or neither.
//
// Threads: a value; one thread at a time.      Owns: everything; moving is cheap.

#pragma once

#include <bit>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include "model/histogram.h"
#include "model/labels.h"
#include "model/samples.h"

namespace gauntlet::promql {

struct HistogramPoint {
  uint32_t step;
  std::shared_ptr<const Histogram> histogram;  // shared: lookback repeats a sample at several steps
};

class Column {
 public:
  Column() = default;
  // Nothing present, all values 0.
  explicit Column(uint32_t steps)
      : steps_(steps), data_(static_cast<double*>(std::calloc(steps + WordCount(steps), sizeof(double)))) {}
  Column(Column&& other) noexcept { *this = std::move(other); }
  Column& operator=(Column&& other) noexcept {
    steps_ = std::exchange(other.steps_, 0);
    data_ = std::move(other.data_);
    histograms_ = std::exchange(other.histograms_, {});
    return *this;
  }

  static constexpr uint32_t WordCount(uint32_t steps) { return (steps + 63) / 64; }

  uint32_t steps() const { return steps_; }
  uint32_t words() const { return WordCount(steps_); }
  double* values() { return data_.get(); }
  const double* values() const { return data_.get(); }
  // words() of them; bits from steps() on are clear.
  uint64_t* present() { return reinterpret_cast<uint64_t*>(data_.get() + steps_); }
  const uint64_t* present() const { return reinterpret_cast<const uint64_t*>(data_.get() + steps_); }

  bool Has(uint32_t step) const { return present()[step / 64] >> (step % 64) & 1; }
  void Set(uint32_t step, double v) {
    values()[step] = v;
    present()[step / 64] |= uint64_t{1} << (step % 64);
  }
  void Clear(uint32_t step) { present()[step / 64] &= ~(uint64_t{1} << (step % 64)); }
  // Of the steps [begin, end).
  void SetPresent(uint32_t begin, uint32_t end);
  void SetAllPresent() { SetPresent(0, steps_); }

  uint32_t CountFloats() const;
  bool AllFloats() const { return CountFloats() == steps_; }
  bool empty() const { return histograms_.empty() && CountFloats() == 0; }

  std::vector<HistogramPoint>& histograms() { return histograms_; }
  const std::vector<HistogramPoint>& histograms() const { return histograms_; }
  // Null when the step has none. Binary search.
  const HistogramPoint* FindPoint(uint32_t step) const;
  const Histogram* FindHistogram(uint32_t step) const {
    const HistogramPoint* point = FindPoint(step);
    return point != nullptr ? point->histogram.get() : nullptr;
  }
  // Sets the bit of each step that has a float or a histogram. REQUIRES: `bits` has words() entries.
  void OrPresence(uint64_t* bits) const;

  Column Copy() const;
  size_t memory_bytes() const;

 private:
  struct Free {
    void operator()(double* p) const { std::free(p); }
  };
  uint32_t steps_ = 0;
  std::unique_ptr<double[], Free> data_;  // the values, then the presence words
  std::vector<HistogramPoint> histograms_;
};

// Calls fn(step) for each set bit, ascending.
template <typename Fn>
void ForEachBit(const uint64_t* words, uint32_t word_count, Fn&& fn) {
  for (uint32_t w = 0; w < word_count; ++w) {
    for (uint64_t bits = words[w]; bits != 0; bits &= bits - 1) {
      fn(w * 64 + static_cast<uint32_t>(std::countr_zero(bits)));
    }
  }
}

struct Row {
  Labels labels;
  // With delayed name removal: __name__, __type__ and __unit__ go at the end of the query.
  bool drop_name = false;
  Column column;

  size_t memory_bytes() const { return sizeof(Row) + labels.memory_bytes() + column.memory_bytes(); }
};

// A series with samples at its own times: of a range selector asked for by itself.
struct RawSeries {
  Labels labels;
  Samples samples;
};

}  // namespace gauntlet::promql
