#include "promql/exec/histogram_functions.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <utility>

#include "model/float_text.h"
#include "promql/exec/classic_histogram.h"
#include "promql/exec/label_ops.h"
#include "promql/exec/merge.h"
#include "promql/exec/range_function.h"

namespace gauntlet::promql {
namespace {

// The buckets of one histogram: series equal but for `le`.
struct ClassicHistogram {
  Labels labels;  // without le
  std::vector<std::pair<double, Column>> buckets;
};

// labels.FormatOpenMetricsFloat: "1.0", not "1".
std::string OpenMetricsFloat(double v) {
  std::string text = FormatFloatG(v);
  bool has_point = text.find_first_of(".eNI") != std::string::npos;
  return has_point ? text : text + ".0";
}

class HistogramFunction : public Operator {
 public:
  HistogramFunction(ExecContext& context, const FunctionNode& node, std::vector<std::unique_ptr<ScalarOperator>> args,
                    std::string label, std::unique_ptr<Operator> input)
      : Operator(context, node), function_(node), args_(std::move(args)), label_(std::move(label)) {
    fraction_ = node.function->name == "histogram_fraction";
    vector_pos_ = VectorArg().pos;
    AddChild(std::move(input));
  }

  Result<bool> Next(Rows* batch) override {
    batch->clear();
    if (children_[0] == nullptr) return false;
    values_.resize(args_.size());
    for (size_t i = 0; i < args_.size(); ++i) {
      GN_TRY(args_[i]->Evaluate(&values_[i]));
      args_[i]->Annotate(&below_);
      if (!fraction_) NoteBadQuantiles(i);
    }
    GN_TRY(Collect());
    size_t outputs = fraction_ ? 1 : args_.size();
    for (size_t output = 0; output < outputs; ++output) GN_TRY(Evaluate(output, batch));
    histograms_.clear();
    if (!context_.options.delayed_name_removal) GN_TRY(MergeSameLabels(batch, MergedName::kOfFirstStep));
    GN_TRY(held_.Set(CountSamples(*batch)));
    charge_.Clear();
    return !batch->empty();
  }

 private:
  const PlanNode& VectorArg() const {
    for (const PlanPtr& arg : function_.args) {
      if (arg->type == ValueType::kVector) return *arg;
    }
    return *function_.args.front();
  }

  void NoteBadQuantiles(size_t arg) {
    size_t scalar = 0;
    for (const PlanPtr& node : function_.args) {
      if (node->type != ValueType::kScalar || scalar++ != arg) continue;
      for (double q : values_[arg]) {
        if (std::isnan(q) || q < 0 || q > 1) own_.InvalidQuantile(q, node->pos);
      }
    }
  }

  Status Collect() {
    Rows batch;
    std::string key;
    while (true) {
      GN_TRY(context_.CheckCancel());
      GN_ASSIGN(bool more, child().Next(&batch));
      if (!more) break;
      for (Row& row : batch) {
        if (!row.column.histograms().empty()) return HistogramsUnsupported(function_.function->name);
        std::string_view le = row.labels.Get(kBucketLabel);
        Result<double> bound = ParseFloat(le);
        if (!bound.ok()) {
          own_.BadBucketLabel(context_.options.delayed_name_removal ? row.labels.Get(kMetricName) : "", le,
                              vector_pos_);
          continue;
        }
        key.clear();
        for (const Label& label : row.labels) {
          if (label.name != kBucketLabel) PackLabel(key, label.name, label.value);
        }
        auto [at, inserted] = index_.try_emplace(key, histograms_.size());
        if (inserted) histograms_.push_back({Labels::FromPacked(key), {}});
        GN_TRY(charge_.Grow(row.column.memory_bytes() + (inserted ? 2 * key.size() + 128 : 0)));
        histograms_[at->second].buckets.emplace_back(*bound, std::move(row.column));
      }
    }
    CloseChild();
    index_.clear();
    for (ClassicHistogram& h : histograms_) {
      std::stable_sort(h.buckets.begin(), h.buckets.end(),
                       [](const auto& a, const auto& b) { return a.first < b.first; });
    }
    return Status();
  }

  // Histograms are independent: each chunk of them on a thread, joined in order.
  Status Evaluate(size_t output, Rows* batch) {
    const size_t count = histograms_.size();
    std::vector<Row> rows(count);
    std::vector<ForcedMonotonicity> forced(count);
    std::vector<Status> statuses(count);
    for (auto& f : forced) f.count = 0;
    auto one = [&](size_t i) {
      statuses[i] = context_.CheckCancel();
      if (statuses[i].ok()) rows[i] = EvaluateOne(histograms_[i], output, &forced[i]);
    };
    if (count == 1) {
      one(0);
    } else {
      ParallelFor(context_.executor, count, one);
    }
    for (size_t i = 0; i < count; ++i) {
      GN_TRY(statuses[i]);
      if (forced[i].count > 0) {
        std::string_view metric =
            context_.options.delayed_name_removal ? histograms_[i].labels.Get(kMetricName) : std::string_view();
        own_.NonMonotonicBuckets(metric, forced[i], vector_pos_);
      }
      if (rows[i].column.empty()) continue;
      GN_TRY(charge_.Grow(rows[i].memory_bytes()));
      batch->push_back(std::move(rows[i]));
    }
    return Status();
  }

  Row EvaluateOne(const ClassicHistogram& histogram, size_t output, ForcedMonotonicity* forced) const {
    Row row;
    row.drop_name = true;
    row.labels = context_.options.delayed_name_removal ? histogram.labels : DropMetadata(histogram.labels);
    row.column = Column(node_.grid.steps);
    std::vector<Bucket> buckets;
    for (uint32_t step = 0; step < node_.grid.steps; ++step) {
      buckets.clear();
      for (const auto& [bound, column] : histogram.buckets) {
        if (column.Has(step)) buckets.push_back({bound, column.values()[step]});
      }
      if (buckets.empty()) continue;
      if (fraction_) {
        row.column.Set(step, BucketFraction(values_[0][step], values_[1][step], &buckets));
      } else {
        row.column.Set(step, BucketQuantile(values_[output][step], &buckets, node_.grid.time_ms(step), forced));
      }
    }
    if (!label_.empty() && !row.column.empty()) {
      // The quantile is a constant in all but name: it names the series.
      LabelsBuilder builder(row.labels);
      builder.Set(label_, OpenMetricsFloat(values_[output].front()));
      row.labels = builder.Build();
    }
    return row;
  }

  const FunctionNode& function_;
  std::vector<std::unique_ptr<ScalarOperator>> args_;
  const std::string label_;
  bool fraction_;
  PositionRange vector_pos_;
  std::vector<std::vector<double>> values_;
  std::unordered_map<std::string, size_t> index_;
  std::vector<ClassicHistogram> histograms_;
};

}  // namespace

std::unique_ptr<Operator> MakeHistogramFunction(ExecContext& context, const FunctionNode& node,
                                                std::vector<std::unique_ptr<ScalarOperator>> args, std::string label,
                                                std::unique_ptr<Operator> input) {
  return std::make_unique<HistogramFunction>(context, node, std::move(args), std::move(label), std::move(input));
}

}  // namespace gauntlet::promql
