// stddev, stdvar (Welford's running variance of the population) and quantile, which keeps its series.

#include <cmath>
#include <cstring>
#include <utility>

#include "promql/exec/aggregate/aggregate.h"
#include "promql/exec/rows/math.h"
#include "promql/exec/rows/simd.h"

namespace gauntlet::promql {
namespace {

GN_WIDE_VECTORS void AddToVariances(const double* values, double* counts, double* means, double* squares,
                                    uint32_t size) {
  for (uint32_t i = 0; i < size; ++i) {
    counts[i] += 1;
    double delta = values[i] - means[i];
    means[i] += delta / counts[i];
    squares[i] += delta * (values[i] - means[i]);
  }
}

class VarianceAccumulator : public Accumulator {
 public:
  explicit VarianceAccumulator(const AggregateCall& call) : call_(call), root_(call.op == AggregateOp::kStddev) {}

  size_t AddGroup() override {
    groups_.emplace_back(std::make_unique<double[]>(3 * call_.steps));
    return 3 * call_.steps * sizeof(double);
  }

  Result<size_t> Add(uint32_t index, Row* row, AnnotationSet* annotations) override {
    const Column& column = row->column;
    if (!column.histograms().empty()) {
      annotations->HistogramIgnoredInAggregation(root_ ? "stddev" : "stdvar", call_.expr_pos);
    }
    double* counts = groups_[index].get();
    double *means = counts + call_.steps, *squares = means + call_.steps;
    const bool all = column.AllFloats();
    auto add = [&](uint32_t i, uint32_t size) {
      AddToVariances(column.values() + i, counts + i, means + i, squares + i, size);
    };
    GN_TRY(call_.context->InBlocks(call_.steps, [&](uint32_t begin, uint32_t end) {
      if (all) return add(begin, end - begin);
      ForEachBit(column.present() + begin / 64, Column::WordCount(end - begin), [&](uint32_t i) { add(begin + i, 1); });
    }));
    return size_t{0};
  }

  Status Finish(uint32_t index, Column* out, AnnotationSet*) override {
    std::unique_ptr<double[]> group = std::move(groups_[index]);
    return call_.context->InBlocks(call_.steps, [&](uint32_t begin, uint32_t end) {
      for (uint32_t i = begin; i < end; ++i) {
        if (group[i] == 0) continue;
        double variance = group[2 * call_.steps + i] / group[i];
        out->Set(i, root_ ? std::sqrt(variance) : variance);
      }
    });
  }

 private:
  const AggregateCall call_;
  const bool root_;
  std::vector<std::unique_ptr<double[]>> groups_;  // counts, means, sums of squares
};

class QuantileAccumulator : public Accumulator {
 public:
  explicit QuantileAccumulator(const AggregateCall& call) : call_(call) {}

  size_t AddGroup() override {
    groups_.emplace_back();
    return sizeof(std::vector<Column>);
  }

  Result<size_t> Add(uint32_t index, Row* row, AnnotationSet* annotations) override {
    Column& column = row->column;
    if (!column.histograms().empty()) {
      annotations->HistogramIgnoredInAggregation("quantile", call_.expr_pos);
      column.histograms().clear();
    }
    size_t bytes = column.memory_bytes();
    groups_[index].push_back(std::move(column));
    return bytes;
  }

  // A few steps at a time, so that each column is read by cache lines.
  Status Finish(uint32_t index, Column* out, AnnotationSet*) override {
    constexpr uint32_t kSteps = 8;
    std::vector<Column> columns = std::move(groups_[index]);
    std::vector<double> values[kSteps];
    for (uint32_t begin = 0; begin < call_.steps; begin += kSteps) {
      GN_TRY(call_.context->CheckCancel());
      uint32_t end = std::min(begin + kSteps, call_.steps);
      for (auto& v : values) v.clear();
      for (const Column& column : columns) {
        for (uint32_t step = begin; step < end; ++step) {
          if (column.Has(step)) values[step - begin].push_back(column.values()[step]);
        }
      }
      for (uint32_t step = begin; step < end; ++step) {
        auto& v = values[step - begin];
        if (!v.empty()) out->Set(step, Quantile((*call_.params)[step], v));
      }
    }
    return Status();
  }

 private:
  const AggregateCall call_;
  std::vector<std::vector<Column>> groups_;
};

}  // namespace

std::unique_ptr<Accumulator> MakeVarianceAccumulator(const AggregateCall& call) {
  return std::make_unique<VarianceAccumulator>(call);
}
std::unique_ptr<Accumulator> MakeQuantileAccumulator(const AggregateCall& call) {
  return std::make_unique<QuantileAccumulator>(call);
}

}  // namespace gauntlet::promql
