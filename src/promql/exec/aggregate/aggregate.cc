#include "promql/exec/aggregate/aggregate.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <utility>

#include "promql/exec/rows/math.h"

namespace gauntlet::promql {
namespace {

constexpr size_t kGroupsPerBatch = 64;

// With delayed name removal a group loses its name if, at the last step where it has a result, one of its series does.
class DelayedDrop {
 public:
  void Add(uint32_t group, const Row& row) {
    std::vector<uint64_t>& bits = Get(row.drop_name ? dropping_ : keeping_, group, row.column.words());
    row.column.OrPresence(bits.data());
  }
  bool Drops(uint32_t group, const Column& result) const {
    if (group >= dropping_.size() || dropping_[group].empty()) return false;
    std::vector<uint64_t> has(result.words());
    result.OrPresence(has.data());
    const std::vector<uint64_t>& drop = dropping_[group];
    static const std::vector<uint64_t> kNone;
    const std::vector<uint64_t>& keep = group < keeping_.size() ? keeping_[group] : kNone;
    for (size_t w = drop.size(); w-- > 0;) {
      const uint64_t d = drop[w] & has[w], k = w < keep.size() ? keep[w] & has[w] : 0;
      if ((d | k) != 0) return std::countl_zero(d) <= std::countl_zero(k);
    }
    return false;
  }

 private:
  static std::vector<uint64_t>& Get(std::vector<std::vector<uint64_t>>& all, uint32_t group, uint32_t words) {
    if (all.size() <= group) all.resize(group + 1);
    if (all[group].empty()) all[group].resize(words);
    return all[group];
  }
  std::vector<std::vector<uint64_t>> dropping_, keeping_;
};

class Aggregate : public Operator {
 public:
  Aggregate(ExecContext& context, const AggregateNode& node, std::unique_ptr<ScalarOperator> param,
            std::unique_ptr<Operator> input)
      : Operator(context, node), aggregate_(node), param_(std::move(param)), grouping_(node.grouping, node.without) {
    AddChild(std::move(input));
  }

  Result<bool> Next(Rows* batch) override {
    batch->clear();
    if (children_[0] != nullptr) GN_TRY(Accumulate());
    while (batch->empty() && next_group_ < grouping_.size()) GN_TRY(Emit(batch));
    return !batch->empty();
  }

 private:
  Status Accumulate() {
    call_ = {aggregate_.op, node_.grid.steps, aggregate_.expr->pos, &params_.values, &context_};
    if (param_ != nullptr) {
      GN_ASSIGN(params_, EvaluateParams(*param_, aggregate_.param->kind == PlanKind::kNumber));
      param_->Annotate(&below_);
      NoteBadQuantile();
    }
    accumulator_ = MakeAccumulator();
    Rows batch;
    while (true) {
      GN_TRY(context_.CheckCancel());
      GN_ASSIGN(bool more, child().Next(&batch));
      if (!more) break;
      size_t grown = 0;
      for (Row& row : batch) {
        uint32_t group = grouping_.Find(row.labels);
        if (group == groups_) {
          ++groups_;
          grown += accumulator_->AddGroup() + 2 * grouping_.labels(group).memory_bytes() + 64;
        }
        if (context_.options.delayed_name_removal) delayed_.Add(group, row);
        GN_ASSIGN(size_t bytes, accumulator_->Add(group, &row, &own_));
        grown += bytes;
      }
      GN_TRY(charge_.Grow(grown));
    }
    CloseChild();
    return Status();
  }

  std::unique_ptr<Accumulator> MakeAccumulator() const {
    switch (aggregate_.op) {
      case AggregateOp::kSum:
      case AggregateOp::kAvg:
        return MakeSumAccumulator(call_);
      case AggregateOp::kMin:
      case AggregateOp::kMax:
        return MakeExtremumAccumulator(call_);
      case AggregateOp::kStddev:
      case AggregateOp::kStdvar:
        return MakeVarianceAccumulator(call_);
      case AggregateOp::kQuantile:
        return MakeQuantileAccumulator(call_);
      default:
        return MakeCountAccumulator(call_);
    }
  }

  void NoteBadQuantile() {
    if (aggregate_.op != AggregateOp::kQuantile) return;
    PositionRange pos = aggregate_.param->pos;
    if (params_.any_nan) own_.InvalidQuantile(std::numeric_limits<double>::quiet_NaN(), pos);
    if (params_.max > 1) own_.InvalidQuantile(params_.max, pos);
    if (params_.min < 0) own_.InvalidQuantile(params_.min, pos);
  }

  Status Emit(Rows* batch) {
    for (; next_group_ < grouping_.size() && batch->size() < kGroupsPerBatch; ++next_group_) {
      GN_TRY(context_.CheckCancel());
      Row row;
      row.column = Column(node_.grid.steps);
      GN_TRY(accumulator_->Finish(next_group_, &row.column, &own_));
      if (row.column.empty()) continue;
      row.labels = std::move(grouping_.labels(next_group_));
      row.drop_name = delayed_.Drops(next_group_, row.column);
      points_ += CountSamples(row.column);
      batch->push_back(std::move(row));
    }
    return held_.Set(points_);
  }

  const AggregateNode& aggregate_;
  std::unique_ptr<ScalarOperator> param_;
  AggregateParams params_;
  AggregateCall call_{};
  Grouping grouping_;
  std::unique_ptr<Accumulator> accumulator_;
  DelayedDrop delayed_;
  uint32_t groups_ = 0, next_group_ = 0;
  int64_t points_ = 0;
};

}  // namespace

Result<AggregateParams> EvaluateParams(ScalarOperator& param, bool constant) {
  AggregateParams out;
  GN_TRY(param.Evaluate(&out.values));
  if (out.values.empty()) return out;
  if (constant) {
    out.min = out.max = out.values[0];
    out.any_nan = std::isnan(out.min);
    return out;
  }
  out.min = std::numeric_limits<double>::max();
  out.max = -out.min;
  for (double v : out.values) {
    out.min = GoMin(out.min, v);
    out.max = GoMax(out.max, v);
    out.any_nan = out.any_nan || std::isnan(v);
  }
  return out;
}

Status CheckCountParams(const AggregateParams& params) {
  constexpr double kMaxInt64 = 9223372036854774784.0, kMinInt64 = -9223372036854775808.0;
  if (params.any_nan) return Status(Code::kInvalid, "Parameter value is NaN");
  if (params.min <= kMinInt64) {
    return Status(Code::kInvalid, fmt::format("Scalar value {} underflows int64", FormatG(params.min)));
  }
  if (params.max >= kMaxInt64) {
    return Status(Code::kInvalid, fmt::format("Scalar value {} overflows int64", FormatG(params.max)));
  }
  return Status();
}

std::unique_ptr<Operator> MakeAggregate(ExecContext& context, const AggregateNode& node,
                                        std::unique_ptr<ScalarOperator> param, std::unique_ptr<Operator> input) {
  return std::make_unique<Aggregate>(context, node, std::move(param), std::move(input));
}

}  // namespace gauntlet::promql
