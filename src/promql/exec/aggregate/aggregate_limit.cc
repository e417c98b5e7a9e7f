// limitk and limit_ratio: some series as they are. Nothing is kept but, for limitk, a count per group and step; at one
// time, the series, to have them in upstream's order.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <utility>
#include <vector>

#include "promql/exec/aggregate/aggregate.h"

namespace gauntlet::promql {
namespace {

class Limit : public Operator {
 public:
  Limit(ExecContext& context, const AggregateNode& node, std::unique_ptr<ScalarOperator> param,
        std::unique_ptr<Operator> input)
      : Operator(context, node),
        aggregate_(node),
        ratio_(node.op == AggregateOp::kLimitRatio),
        param_(std::move(param)),
        grouping_(node.grouping, node.without) {
    AddChild(std::move(input));
  }

  Result<bool> Next(Rows* batch) override {
    batch->clear();
    if (!opened_) GN_TRY(Open());
    GN_ASSIGN(bool more, NextKept(batch));
    if (!node_.grid.instant()) return more;
    while (more) {
      for (Row& row : *batch) Push(std::move(row));
      GN_ASSIGN(more, NextKept(batch));
    }
    batch->clear();
    for (Rows& heap : std::exchange(heaps_, {})) {
      batch->insert(batch->end(), std::make_move_iterator(heap.begin()), std::make_move_iterator(heap.end()));
    }
    return !batch->empty();
  }

 private:
  // The next rows of which something is in.
  Result<bool> NextKept(Rows* batch) {
    batch->clear();
    while (children_[0] != nullptr) {
      GN_ASSIGN(bool more, child().Next(batch));
      if (!more) {
        CloseChild();
        break;
      }
      for (Row& row : *batch) {
        if (nothing_) {
          row.column = Column();
        } else if (ratio_) {
          GN_TRY(Sample(&row));
        } else {
          GN_TRY(Count(&row));
        }
      }
      std::erase_if(*batch, [](const Row& row) { return row.column.empty(); });
      points_ += CountSamples(*batch);
      GN_TRY(held_.Set(points_));
      if (!batch->empty()) return true;
    }
    return false;
  }

  // At one time upstream answers group by group, each as the heap that it pushed its series onto, the least value on
  // top; a histogram counts as 0.
  void Push(Row row) {
    const uint32_t group = grouping_.Find(row.labels);
    if (group >= heaps_.size()) heaps_.resize(group + 1);
    Rows& heap = heaps_[group];
    heap.push_back(std::move(row));
    auto value = [&heap](size_t i) { return heap[i].column.CountFloats() > 0 ? heap[i].column.values()[0] : 0.0; };
    for (size_t at = heap.size() - 1; at > 0;) {
      const size_t above = (at - 1) / 2;
      if (!std::isnan(value(at)) && !(value(at) < value(above))) break;
      std::swap(heap[at], heap[above]);
      at = above;
    }
  }

  Status Open() {
    opened_ = true;
    GN_ASSIGN(params_, EvaluateParams(*param_, aggregate_.param->kind == PlanKind::kNumber));
    param_->Annotate(&below_);
    Status status = ratio_ ? CheckRatio() : CheckCount();
    // Upstream evaluates the input before it looks at what the parameter is.
    if (!status.ok()) GN_TRY(Exhaust(0));
    return status;
  }

  Status CheckCount() {
    nothing_ = params_.max < 1;
    return nothing_ ? Status() : CheckCountParams(params_);
  }

  Status CheckRatio() {
    nothing_ = params_.max == 0 && params_.min == 0;
    if (nothing_) return Status();
    if (params_.any_nan) return Status(Code::kInvalid, "Ratio value is NaN");
    if (params_.max > 1) NoteBadRatio(params_.max, 1);
    if (params_.min < -1) NoteBadRatio(params_.min, -1);
    return Status();
  }

  void NoteBadRatio(double ratio, double capped) {
    own_.Warn(
        fmt::format("ratio value should be between -1 and 1, got {}, capping to {}", FormatG(ratio), FormatG(capped)),
        aggregate_.param->pos);
  }

  // Keeps the steps for which `keep` says so.
  template <typename Fn>
  Status Filter(Column* column, Fn keep) const {
    GN_TRY(context_.ForEachStep(column->present(), column->steps(), [&](uint32_t step) {
      if (!keep(step)) column->Clear(step);
    }));
    std::erase_if(column->histograms(), [&](const HistogramPoint& p) { return !keep(p.step); });
    return Status();
  }

  // A series is in when its hash, as a fraction of the largest, is below the ratio; for a negative one in the rest.
  Status Sample(Row* row) const {
    double offset = static_cast<double>(row->labels.Hash()) / 18446744073709551616.0;
    return Filter(&row->column, [&](uint32_t step) {
      double ratio = std::clamp(params_.values[step], -1.0, 1.0);
      return (ratio >= 0 && offset < ratio) || (ratio < 0 && offset >= 1.0 + ratio);
    });
  }

  Status Count(Row* row) {
    uint32_t group = grouping_.Find(row->labels);
    if (group == counts_.size()) {
      counts_.emplace_back(node_.grid.steps);
      GN_TRY(charge_.Grow(node_.grid.steps * sizeof(uint32_t) + grouping_.labels(group).memory_bytes() + 64));
    }
    auto& counts = counts_[group];
    return Filter(&row->column, [&](uint32_t step) {
      // The first k, whole numbers only: k of 2.7 is 2.
      if (!(params_.values[step] >= counts[step] + 1.0)) return false;
      ++counts[step];
      return true;
    });
  }

  const AggregateNode& aggregate_;
  const bool ratio_;
  std::unique_ptr<ScalarOperator> param_;
  AggregateParams params_;
  bool opened_ = false, nothing_ = false;
  Grouping grouping_;
  std::vector<std::vector<uint32_t>> counts_;
  std::vector<Rows> heaps_;  // by group, at one time
  int64_t points_ = 0;
};

}  // namespace

std::unique_ptr<Operator> MakeLimit(ExecContext& context, const AggregateNode& node,
                                    std::unique_ptr<ScalarOperator> param, std::unique_ptr<Operator> input) {
  return std::make_unique<Limit>(context, node, std::move(param), std::move(input));
}

}  // namespace gauntlet::promql
