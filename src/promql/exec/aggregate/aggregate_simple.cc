// min, max, count, group: nothing that depends on the order of series.

#include <cmath>
#include <cstring>
#include <limits>

#include "promql/exec/aggregate/aggregate.h"
#include "promql/exec/rows/simd.h"

namespace gauntlet::promql {
namespace {

GN_WIDE_VECTORS void TakeLarger(const double* values, double* best, uint32_t size) {
  for (uint32_t i = 0; i < size; ++i) best[i] = best[i] < values[i] || best[i] != best[i] ? values[i] : best[i];
}

GN_WIDE_VECTORS void TakeSmaller(const double* values, double* best, uint32_t size) {
  for (uint32_t i = 0; i < size; ++i) best[i] = best[i] > values[i] || best[i] != best[i] ? values[i] : best[i];
}

// NaN stays only while there is nothing else.
class ExtremumAccumulator : public Accumulator {
 public:
  explicit ExtremumAccumulator(const AggregateCall& call) : call_(call), maximum_(call.op == AggregateOp::kMax) {}

  size_t AddGroup() override {
    Column& group = groups_.emplace_back(call_.steps);
    std::fill_n(group.values(), call_.steps, std::numeric_limits<double>::quiet_NaN());
    return group.memory_bytes();
  }

  Result<size_t> Add(uint32_t index, Row* row, AnnotationSet* annotations) override {
    Column &group = groups_[index], &column = row->column;
    if (!column.histograms().empty()) {
      annotations->HistogramIgnoredInAggregation(maximum_ ? "max" : "min", call_.expr_pos);
    }
    const bool all = column.AllFloats();
    GN_TRY(call_.context->InBlocks(call_.steps, [&](uint32_t begin, uint32_t end) {
      const double* values = column.values() + begin;
      double* best = group.values() + begin;
      if (all) return Take(values, best, end - begin);
      ForEachBit(column.present() + begin / 64, Column::WordCount(end - begin),
                 [&](uint32_t i) { Take(values + i, best + i, 1); });
    }));
    for (uint32_t w = 0; w < column.words(); ++w) group.present()[w] |= column.present()[w];
    return size_t{0};
  }

  Status Finish(uint32_t index, Column* out, AnnotationSet*) override {
    *out = std::move(groups_[index]);
    return Status();
  }

 private:
  void Take(const double* values, double* best, uint32_t size) const {
    maximum_ ? TakeLarger(values, best, size) : TakeSmaller(values, best, size);
  }

  const AggregateCall call_;
  const bool maximum_;
  std::vector<Column> groups_;
};

class CountAccumulator : public Accumulator {
 public:
  explicit CountAccumulator(const AggregateCall& call) : call_(call), group_only_(call.op == AggregateOp::kGroup) {}

  size_t AddGroup() override { return groups_.emplace_back(call_.steps).memory_bytes(); }

  Result<size_t> Add(uint32_t index, Row* row, AnnotationSet*) override {
    Column &group = groups_[index], &column = row->column;
    double* counts = group.values();
    if (!group_only_) {
      const bool all = column.AllFloats();
      GN_TRY(call_.context->InBlocks(call_.steps, [&](uint32_t begin, uint32_t end) {
        if (all) {
          for (uint32_t i = begin; i < end; ++i) counts[i] += 1;
        } else {
          ForEachBit(column.present() + begin / 64, Column::WordCount(end - begin),
                     [&](uint32_t i) { counts[begin + i] += 1; });
        }
      }));
      for (const HistogramPoint& p : column.histograms()) counts[p.step] += 1;
    }
    column.OrPresence(group.present());
    return size_t{0};
  }

  Status Finish(uint32_t index, Column* out, AnnotationSet*) override {
    *out = std::move(groups_[index]);
    if (group_only_) std::fill_n(out->values(), call_.steps, 1.0);
    return Status();
  }

 private:
  const AggregateCall call_;
  const bool group_only_;
  std::vector<Column> groups_;
};

}  // namespace

std::unique_ptr<Accumulator> MakeExtremumAccumulator(const AggregateCall& call) {
  return std::make_unique<ExtremumAccumulator>(call);
}
std::unique_ptr<Accumulator> MakeCountAccumulator(const AggregateCall& call) {
  return std::make_unique<CountAccumulator>(call);
}

}  // namespace gauntlet::promql
