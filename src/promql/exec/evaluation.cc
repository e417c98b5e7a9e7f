#include "promql/exec/evaluation.h"

#include <algorithm>
#include <utility>

#include "model/sift_samples.h"
#include "model/stale.h"
#include "promql/exec/builder.h"
#include "promql/exec/range/extended_windows.h"
#include "promql/exec/rows/label_ops.h"
#include "promql/exec/rows/merge.h"
#include "promql/exec/select/range_select.h"

namespace gauntlet::promql {
namespace {

// The samples in (begin, end], without stale markers.
void CutSamples(int64_t begin_ms, int64_t end_ms, Samples* samples) {
  size_t next_histogram = 0, kept_histograms = 0;
  auto& histograms = samples->histograms;
  SiftColumns(samples, [&](size_t i, size_t to) {
    bool is_histogram = next_histogram < histograms.size() && histograms[next_histogram].position == i;
    bool stale = is_histogram ? histograms[next_histogram].histogram.stale() : IsStaleNaN(samples->values[i]);
    bool keep = !stale && samples->times_ms[i] > begin_ms && samples->times_ms[i] <= end_ms;
    if (is_histogram) {
      if (keep) {
        if (kept_histograms != next_histogram) histograms[kept_histograms] = std::move(histograms[next_histogram]);
        histograms[kept_histograms++].position = static_cast<uint32_t>(to);
      }
      ++next_histogram;
    }
    return keep;
  });
  histograms.resize(kept_histograms);
}

// Leaves the samples of the window that ends at `end_ms`.
Status CutWindow(const MatrixSelectNode& node, int64_t end_ms, Samples* samples) {
  const int64_t begin_ms = end_ms - node.range_ms;
  const WindowEnds ends = EndsOf(node);
  if (ends == WindowEnds::kPlain) {
    CutSamples(begin_ms, end_ms, samples);
    return Status();
  }
  CutSamples(begin_ms - node.lookback_ms, ends == WindowEnds::kSmoothed ? end_ms + node.lookback_ms : end_ms, samples);
  return ExtendSamples(begin_ms, end_ms, ends, samples);
}

int64_t CountSamples(const Samples& samples) {
  int64_t count = static_cast<int64_t>(samples.size() - samples.histograms.size());
  for (const auto& h : samples.histograms) count += HistogramSampleCount(h.histogram);
  return count;
}

Status Drain(ExecContext& context, Operator& root, Rows* rows, MemoryCharge* charge) {
  Rows batch;
  while (true) {
    GN_TRY(context.CheckCancel());
    GN_ASSIGN(bool more, root.Next(&batch));
    if (!more) return Status();
    size_t bytes = 0;
    for (const Row& row : batch) bytes += row.memory_bytes();
    GN_TRY(charge->Grow(bytes));
    if (rows->empty()) {
      rows->swap(batch);
    } else {
      rows->insert(rows->end(), std::make_move_iterator(batch.begin()), std::make_move_iterator(batch.end()));
    }
  }
}

}  // namespace

Evaluation::Evaluation(ExecContext& context, const Plan& plan) : context_(context), plan_(plan) {}
Evaluation::~Evaluation() = default;

Result<std::unique_ptr<Evaluation>> Evaluation::Make(ExecContext& context, const Plan& plan, bool per_step_stats) {
  std::unique_ptr<Evaluation> evaluation(new Evaluation(context, plan));
  evaluation->builder_ = std::make_unique<Builder>(context, per_step_stats);
  Builder& builder = *evaluation->builder_;
  const PlanNode& root = *plan.root;
  evaluation->scope_ = builder.MakeScope(root.grid, per_step_stats);
  switch (root.type) {
    case ValueType::kScalar:
    case ValueType::kVector: {
      GN_ASSIGN(evaluation->root_, builder.Vector(root, evaluation->scope_.get()));
      break;
    }
    case ValueType::kMatrix:
      if (root.kind == PlanKind::kSubquery) {
        const auto& subquery = static_cast<const SubqueryNode&>(root);
        GN_ASSIGN(evaluation->root_, builder.SubqueryRows(subquery, evaluation->scope_.get(), true));
      }
      break;
    case ValueType::kString:
    case ValueType::kNone:
      break;
  }
  return evaluation;
}

Status Evaluation::Run(EvaluationOutput* out, MemoryCharge* charge) {
  const PlanNode& root = *plan_.root;
  if (root.type == ValueType::kString) {
    out->string = static_cast<const StringNode&>(root).value;
    return Status();
  }
  if (root.type == ValueType::kMatrix) {
    return root.kind == PlanKind::kSubquery ? RunSubquery(out, charge) : RunRange(out, charge);
  }
  GN_TRY(Drain(context_, *root_, &out->rows, charge));
  return FinishNames(&out->rows);
}

// With delayed name removal: the names that are to go, go now.
Status Evaluation::FinishNames(Rows* rows) const {
  if (!context_.options.delayed_name_removal) return Status();
  for (Row& row : *rows) {
    if (row.drop_name) row.labels = DropMetadata(row.labels);
  }
  return MergeSameLabels(context_, rows, MergedName::kOfFirstRow);
}

Status Evaluation::RunRange(EvaluationOutput* out, MemoryCharge* charge) {
  const auto& node = static_cast<const MatrixSelectNode&>(*plan_.root);
  storage::SelectHints hints;
  hints.start_ms = node.select.start_ms;
  hints.end_ms = node.select.end_ms;
  hints.step_ms = node.select.step_ms;
  hints.range_ms = node.select.range_ms;
  auto set = context_.querier.Select(hints, node.select.matchers, context_.cancel, context_.budget);
  const int64_t end = node.grid.start_ms - node.shift_ms;
  while (true) {
    GN_TRY(context_.CheckCancel());
    Result<std::unique_ptr<storage::Series>> series = set->Next();
    if (!series.ok()) {
      if (context_.cancel.stopped()) return context_.Stopped();
      return series.status().Wrap("expanding series");
    }
    if (*series == nullptr) break;
    RawSeries raw;
    GN_TRY((*series)->Read(&raw.samples));
    GN_TRY(CutWindow(node, end, &raw.samples));
    if (raw.samples.size() == 0) continue;
    raw.labels = Labels((*series)->labels());
    int64_t count = CountSamples(raw.samples);
    scope_->total += count;
    scope_->read += count;
    if (!scope_->total_per_step.empty()) {
      scope_->total_per_step[0] += count;
      scope_->read_per_step[0] += count;
    }
    GN_TRY(context_.meter.Add(count));
    GN_TRY(charge->Grow(sizeof(RawSeries) + raw.labels.memory_bytes() + raw.samples.memory_bytes()));
    out->raw.push_back(std::move(raw));
  }
  raw_annotations_.Add(set->annotations());
  return Status();
}

Status Evaluation::RunSubquery(EvaluationOutput* out, MemoryCharge* charge) {
  const auto& node = static_cast<const SubqueryNode&>(*plan_.root);
  GN_TRY(Drain(context_, *root_, &out->rows, charge));
  GN_TRY(FinishNames(&out->rows));
  for (Row& row : out->rows) {
    RawSeries raw;
    raw.labels = std::move(row.labels);
    const Column& column = row.column;
    std::vector<uint64_t> steps(column.words());
    column.OrPresence(steps.data());
    GN_TRY(context_.ForEachStep(steps.data(), column.steps(), [&](uint32_t step) {
      if (const Histogram* histogram = column.FindHistogram(step)) {
        raw.samples.histograms.push_back({static_cast<uint32_t>(raw.samples.size()), *histogram});
      }
      raw.samples.times_ms.push_back(node.expr->grid.time_ms(step));
      raw.samples.values.push_back(column.Has(step) ? column.values()[step] : 0);
    }));
    GN_TRY(charge->Grow(sizeof(RawSeries) + raw.samples.memory_bytes()));
    out->raw.push_back(std::move(raw));
  }
  out->rows.clear();
  return Status();
}

void Evaluation::Annotate(AnnotationSet* out) const {
  out->Merge(raw_annotations_);
  if (root_ != nullptr) root_->Annotate(out);
}

}  // namespace gauntlet::promql
