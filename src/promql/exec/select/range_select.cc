#include "promql/exec/select/range_select.h"

#include <utility>

namespace gauntlet::promql {
namespace {

class RangeReader : public SeriesReader {
 public:
  explicit RangeReader(std::unique_ptr<RangeEvaluator> evaluator) : evaluator_(std::move(evaluator)) {}
  Status Open() override { return evaluator_->Open(); }
  Status Read(const storage::Series& series, Row* row, WorkerScratch* scratch) const override {
    scratch->samples.Clear();
    GN_TRY(series.Read(&scratch->samples));
    GN_TRY(scratch->CheckCancelBehind(scratch->samples.size()));
    return evaluator_->Evaluate(series.labels(), false, &scratch->samples, row, scratch);
  }
  void Annotate(AnnotationSet* out) const override { evaluator_->Annotate(out); }

 private:
  std::unique_ptr<RangeEvaluator> evaluator_;
};

class RangeStage : public Stage {
 public:
  RangeStage(std::unique_ptr<RangeEvaluator> evaluator, StepGrid inner)
      : evaluator_(std::move(evaluator)), inner_(inner) {}
  Status Open() override { return evaluator_->Open(); }

  Status Apply(Row* row, WorkerScratch* scratch) const override {
    Samples& samples = scratch->samples;
    samples.Clear();
    GN_TRY(ToSamples(row->column, &samples, scratch));
    GN_TRY(scratch->CheckCancelBehind(row->column.steps()));
    Row out;
    GN_TRY(evaluator_->Evaluate(row->labels, row->drop_name, &samples, &out, scratch));
    *row = std::move(out);
    return Status();
  }
  void Annotate(AnnotationSet* out) const override { evaluator_->Annotate(out); }

 private:
  Status ToSamples(const Column& column, Samples* samples, WorkerScratch* scratch) const {
    auto histogram = column.histograms().begin();
    auto add_histograms = [&](uint32_t before) {
      for (; histogram != column.histograms().end() && histogram->step < before; ++histogram) {
        samples->histograms.push_back({static_cast<uint32_t>(samples->size()), *histogram->histogram});
        ResetHint& hint = samples->histograms.back().histogram.reset_hint;
        // What the neighbours were need not be what they are here.
        if (hint == ResetHint::kReset || hint == ResetHint::kNotReset) hint = ResetHint::kUnknown;
        samples->times_ms.push_back(inner_.time_ms(histogram->step));
        samples->values.push_back(0);
      }
    };
    auto add_float = [&](uint32_t step) {
      add_histograms(step);
      samples->times_ms.push_back(inner_.time_ms(step));
      samples->values.push_back(column.values()[step]);
    };
    return scratch->InBlocks(column.steps(), [&](uint32_t begin, uint32_t end) {
      ForEachBit(column.present() + begin / 64, Column::WordCount(end - begin),
                 [&](uint32_t i) { add_float(begin + i); });
      add_histograms(end);
    });
  }

  std::unique_ptr<RangeEvaluator> evaluator_;
  const StepGrid inner_;
};

}  // namespace

WindowEnds EndsOf(const MatrixSelectNode& node) {
  if (node.anchored) return WindowEnds::kAnchored;
  return node.smoothed ? WindowEnds::kSmoothed : WindowEnds::kPlain;
}

RangeEvaluator::RangeEvaluator(ExecContext& context, const RangeFunctionNode& node,
                               std::vector<std::unique_ptr<ScalarOperator>> args, bool careful)
    : node_(node),
      options_(context.options),
      function_(MakeRangeFunction(node.function->name)),
      args_(std::move(args)),
      dropper_(context, careful) {
  std::string_view name = node.function->name;
  keeps_name_ = KeepsName(name);
  expects_counter_ = name == "rate" || name == "increase";
  spec_.grid = node.grid;
  if (node.range->kind == PlanKind::kMatrixSelect) {
    const auto& select = static_cast<const MatrixSelectNode&>(*node.range);
    spec_.shift_ms = select.shift_ms;
    spec_.range_ms = select.range_ms;
    spec_.fixed = select.fixed;
    if (node.function->x_function) spec_.before_ms = select.lookback_ms;
    histogram_statistics_ = select.histogram_statistics;
    if (select.anchored || select.smoothed) {
      spec_.before_ms = select.lookback_ms;
      spec_.after_ms = select.smoothed ? select.lookback_ms : 0;
      if (auto extended = MakeExtendedFunction(name, EndsOf(select))) {
        function_ = std::move(extended);
      } else {
        anchors_ = true;
      }
    }
  } else {
    const auto& subquery = static_cast<const SubqueryNode&>(*node.range);
    spec_.shift_ms = subquery.shift_ms;
    spec_.range_ms = subquery.range_ms;
    spec_.fixed = subquery.fixed;
    spec_.newly_read = false;
  }
  spec_.start_times = context.options.use_start_timestamps && (expects_counter_ || name == "irate" || name == "resets");
  call_.function = name;
  call_.range_ms = spec_.range_ms;
  call_.range_seconds = static_cast<double>(spec_.range_ms) / 1000;
  call_.first_arg_pos = node.first_arg_pos;
  call_.options = context.options;
}

Status RangeEvaluator::Open() {
  call_.args.resize(args_.size());
  for (size_t i = 0; i < args_.size(); ++i) GN_TRY(args_[i]->Evaluate(&call_.args[i]));
  if (node_.range->kind != PlanKind::kMatrixSelect) return Status();
  return CheckWindowEnds(node_.function->name, EndsOf(static_cast<const MatrixSelectNode&>(*node_.range)));
}

void RangeEvaluator::Annotate(AnnotationSet* out) const {
  for (const auto& arg : args_) arg->Annotate(out);
}

Status RangeEvaluator::Evaluate(LabelsView labels, bool drop_name, Samples* samples, Row* row,
                                WorkerScratch* scratch) const {
  SeriesWindows windows;
  if (histogram_statistics_) KeepStatistics(StatisticsReads(), samples);
  if (samples->size() == 0) return Status();
  if (!MakeWindows(spec_, labels, samples, scratch, &windows)) return scratch->CheckCancelBehind(spec_.grid.steps);
  GN_TRY(scratch->CheckCancelBehind(spec_.grid.steps));
  if (anchors_) AnchorWindows(scratch, &windows);
  row->column = Column(spec_.grid.steps);
  GN_TRY(function_->Run(call_, windows, &row->column, scratch));
  GN_TRY(scratch->CheckCancelBehind(spec_.grid.steps));
  if (row->column.empty()) return Status();
  if (expects_counter_ && row->column.CountFloats() > 0) NoteNonCounter(labels, scratch);
  if (!keeps_name_ || drop_name) return dropper_.Drop(labels, row, scratch);
  row->labels = Labels(labels);
  return Status();
}

WindowReads RangeEvaluator::StatisticsReads() const {
  return {spec_.grid, spec_.shift_ms - spec_.after_ms, spec_.range_ms + spec_.before_ms + spec_.after_ms};
}

void RangeEvaluator::NoteNonCounter(LabelsView labels, WorkerScratch* scratch) const {
  std::string_view metric = labels.Get(kMetricName);
  if (metric.empty()) return;
  if (options_.type_and_unit_labels) {
    std::string_view type = labels.Get(kMetricType);
    if (type == "counter" || type == "histogram") return;
    scratch->annotations.PossibleNonCounterLabel(metric, type, node_.first_arg_pos);
    return;
  }
  for (std::string_view suffix : {"_total", "_sum", "_count", "_bucket"}) {
    if (metric.ends_with(suffix)) return;
  }
  scratch->annotations.PossibleNonCounter(metric, node_.first_arg_pos);
}

std::unique_ptr<SeriesReader> MakeRangeReader(std::unique_ptr<RangeEvaluator> evaluator) {
  return std::make_unique<RangeReader>(std::move(evaluator));
}

std::unique_ptr<Stage> MakeRangeStage(std::unique_ptr<RangeEvaluator> evaluator, StepGrid inner) {
  return std::make_unique<RangeStage>(std::move(evaluator), inner);
}

}  // namespace gauntlet::promql
