#include "promql/exec/functions/histogram_functions.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>
#include <utility>

#include "model/float_text.h"
#include "promql/exec/histograms/classic_histogram.h"
#include "promql/exec/histograms/native_histogram.h"
#include "promql/exec/rows/label_ops.h"
#include "promql/exec/rows/merge.h"

namespace gauntlet::promql {
namespace {

constexpr uint32_t kPollRow = 4096;  // histograms of a row between two looks at the end of the query

// The buckets of one histogram: series equal but for `le`.
struct ClassicHistogram {
  Labels labels;  // without le
  std::vector<std::pair<double, Column>> buckets;
};

struct NativeHistogram {
  Labels labels;
  std::vector<HistogramPoint> points;
};

// What is to be said about one series of the result.
struct Findings {
  ForcedMonotonicity forced{.count = 0};
  std::vector<uint32_t> forced_at;  // the steps
  NaNObservations nans;
};

// Of all series that are told of together: what was forced, and how often at each step.
struct ForcedSeries {
  ForcedMonotonicity found{.count = 0};
  std::vector<uint64_t> per_step;

  // As upstream counts: at each step after the first find it merges what it found so far with itself as well.
  int64_t Count() const {
    uint64_t count = 0;
    for (uint64_t more : per_step) count = count == 0 ? more : 2 * (count + more);
    return static_cast<int64_t>(count);
  }
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
    for (auto& [metric, forced] : forced_) {
      forced.found.count = forced.Count();
      own_.NonMonotonicBuckets(metric, forced.found, vector_pos_);
    }
    histograms_.clear();
    native_.clear();
    const bool keep_equal = node_.grid.instant() && context_.options.delayed_name_removal;
    if (!keep_equal) GN_TRY(MergeSameLabels(context_, batch, MergedName::kOfFirstStep));
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
        if (!row.column.histograms().empty()) GN_TRY(TakeNative(&row));
        if (row.column.CountFloats() == 0) continue;
        std::string_view le = row.labels.Get(kBucketLabel);
        Result<double> bound = ParseFloat(le);
        if (!bound.ok()) {
          own_.BadBucketLabel(MetricOf(row.labels), le, vector_pos_);
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
    SettleConflicts();
    index_.clear();
    for (ClassicHistogram& h : histograms_) {
      std::stable_sort(h.buckets.begin(), h.buckets.end(),
                       [](const auto& a, const auto& b) { return a.first < b.first; });
    }
    return Status();
  }

  // The name as it is told: not at all when it is dropped at once.
  std::string_view MetricOf(LabelsView labels) const {
    return context_.options.delayed_name_removal ? labels.Get(kMetricName) : std::string_view();
  }

  Status TakeNative(Row* row) {
    size_t bytes = row->labels.memory_bytes();
    for (const HistogramPoint& p : row->column.histograms()) bytes += sizeof(p) + p.histogram->memory_bytes();
    native_.push_back({Labels(row->labels), std::move(row->column.histograms())});
    row->column.histograms().clear();
    return charge_.Grow(bytes);
  }

  // Where a native histogram and classic buckets have the same labels, neither is evaluated.
  void SettleConflicts() {
    for (NativeHistogram& native : native_) {
      auto at = index_.find(std::string(native.labels.packed()));
      if (at == index_.end()) continue;
      auto& buckets = histograms_[at->second].buckets;
      const size_t before = native.points.size();
      std::erase_if(native.points, [&](const HistogramPoint& p) {
        bool any = false;
        for (auto& [bound, column] : buckets) {
          any = any || column.Has(p.step);
          column.Clear(p.step);
        }
        return any;
      });
      if (native.points.size() < before) own_.MixedClassicNative(MetricOf(native.labels), vector_pos_);
    }
  }

  // Histograms are independent: each chunk of them on a thread, joined in order. The native ones come first.
  Status Evaluate(size_t output, Rows* batch) {
    const size_t natives = native_.size(), count = natives + histograms_.size();
    std::vector<Row> rows(count);
    std::vector<Findings> findings(count);
    std::vector<Status> statuses(count);
    auto one = [&](size_t i) {
      statuses[i] = context_.CheckCancel();
      if (!statuses[i].ok()) return;
      rows[i] = i < natives ? EvaluateNative(native_[i], output, &findings[i].nans)
                            : EvaluateOne(histograms_[i - natives], output, &findings[i]);
    };
    if (count == 1) {
      one(0);
    } else {
      ParallelFor(context_.executor, count, one);
    }
    GN_TRY(context_.CheckCancel());
    for (size_t i = 0; i < count; ++i) {
      GN_TRY(statuses[i]);
      Tell(findings[i], MetricOf(i < natives ? native_[i].labels : histograms_[i - natives].labels));
      if (rows[i].column.empty()) continue;
      GN_TRY(charge_.Grow(rows[i].memory_bytes()));
      batch->push_back(std::move(rows[i]));
    }
    return Status();
  }

  void Tell(const Findings& findings, std::string_view metric) {
    if (findings.forced.count > 0) AddForced(findings, &forced_[std::string(metric)]);
    if (findings.nans.skewed && fraction_) own_.FractionWithoutNaN(metric, vector_pos_);
    if (findings.nans.skewed && !fraction_) own_.QuantileSkewedByNaN(metric, vector_pos_);
    if (findings.nans.result_is_nan) own_.QuantileIsNaN(metric, vector_pos_);
  }

  void AddForced(const Findings& findings, ForcedSeries* forced) const {
    if (forced->found.count == 0) {
      forced->found = findings.forced;
    } else {
      forced->found.Merge(findings.forced);
    }
    forced->per_step.resize(node_.grid.steps);
    for (uint32_t step : findings.forced_at) ++forced->per_step[step];
  }

  Row StartRow(const Labels& labels) const {
    Row row;
    row.drop_name = true;
    row.labels = context_.options.delayed_name_removal ? labels : DropMetadata(labels);
    row.column = Column(node_.grid.steps);
    return row;
  }

  void NameQuantile(size_t output, Row* row) const {
    if (label_.empty() || row->column.empty()) return;
    // The quantile is a constant in all but name: it names the series.
    LabelsBuilder builder(row->labels);
    builder.Set(label_, OpenMetricsFloat(values_[output].front()));
    row->labels = builder.Build();
  }

  Row EvaluateNative(const NativeHistogram& native, size_t output, NaNObservations* nans) const {
    Row row = StartRow(native.labels);
    for (const HistogramPoint& p : native.points) {
      if (p.step % kPollRow == kPollRow - 1 && context_.cancel.stopped()) break;
      row.column.Set(p.step, fraction_ ? NativeFraction(values_[0][p.step], values_[1][p.step], *p.histogram, nans)
                                       : NativeQuantile(values_[output][p.step], *p.histogram, nans));
    }
    NameQuantile(output, &row);
    return row;
  }

  // What the evaluation of an earlier quantile leaves of the buckets: upstream mends them in place, and of those that
  // it has joined leaves as many at the end as there were.
  static void MendAsFor(double q, std::vector<Bucket>* buckets, std::vector<Bucket>* mended) {
    *mended = *buckets;
    ForcedMonotonicity untold{.count = 0};
    BucketQuantile(q, mended, 0, &untold);
    std::copy(mended->begin(), mended->end(), buckets->begin());
  }

  Row EvaluateOne(const ClassicHistogram& histogram, size_t output, Findings* findings) const {
    Row row = StartRow(histogram.labels);
    std::vector<Bucket> buckets, earlier;
    auto evaluate = [&](uint32_t step) {
      buckets.clear();
      for (const auto& [bound, column] : histogram.buckets) {
        if (column.Has(step)) buckets.push_back({bound, column.values()[step]});
      }
      if (buckets.empty()) return;
      for (size_t i = 0; i < output; ++i) MendAsFor(values_[i][step], &buckets, &earlier);
      if (fraction_) {
        row.column.Set(step, BucketFraction(values_[0][step], values_[1][step], &buckets));
      } else {
        const int64_t before = findings->forced.count;
        row.column.Set(step,
                       BucketQuantile(values_[output][step], &buckets, node_.grid.time_ms(step), &findings->forced));
        if (findings->forced.count != before) findings->forced_at.push_back(step);
      }
    };
    for (uint32_t step = 0; step < node_.grid.steps; ++step) {
      if (step % kPollRow == kPollRow - 1 && context_.cancel.stopped()) break;
      evaluate(step);
    }
    NameQuantile(output, &row);
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
  std::vector<NativeHistogram> native_;
  std::map<std::string, ForcedSeries> forced_;  // by the metric's name as it is told
};

}  // namespace

std::unique_ptr<Operator> MakeHistogramFunction(ExecContext& context, const FunctionNode& node,
                                                std::vector<std::unique_ptr<ScalarOperator>> args, std::string label,
                                                std::unique_ptr<Operator> input) {
  return std::make_unique<HistogramFunction>(context, node, std::move(args), std::move(label), std::move(input));
}

}  // namespace gauntlet::promql
