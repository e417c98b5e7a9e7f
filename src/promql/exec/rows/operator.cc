#include "promql/exec/rows/operator.h"

#include "promql/exec/rows/stage.h"

namespace gauntlet::promql {

Status WorkerScratch::CheckCancelAfter(uint64_t more_work) {
  work += more_work;
  if (work < kPollWork || context == nullptr) return Status();
  work = 0;
  return context->CheckCancel();
}

bool WorkerScratch::Ended() const { return context != nullptr && context->cancel.stopped(); }

Status Operator::Exhaust(size_t i) {
  Rows batch;
  while (true) {
    GN_TRY(context_.CheckCancel());
    GN_ASSIGN(bool more, child(i).Next(&batch));
    if (!more) return Status();
  }
}

Status Operator::Drain(size_t i, Rows* rows) {
  Rows batch;
  while (true) {
    GN_ASSIGN(bool more, child(i).Next(&batch));
    if (!more) break;
    size_t bytes = 0;
    for (const Row& row : batch) bytes += row.memory_bytes();
    GN_TRY(charge_.Grow(bytes));
    if (rows->empty()) {
      rows->swap(batch);
    } else {
      rows->insert(rows->end(), std::make_move_iterator(batch.begin()), std::make_move_iterator(batch.end()));
    }
  }
  CloseChild(i);
  return Status();
}

int64_t HistogramSampleCount(const Histogram& h) {
  size_t bytes = 168 + 8 * (h.positive_spans.size() + h.negative_spans.size() + h.positive_buckets.size() +
                            h.negative_buckets.size() + h.custom_values.size());
  return static_cast<int64_t>((bytes + 8) / 16);
}

int64_t CountSamples(const Column& column) {
  int64_t count = column.CountFloats();
  for (const HistogramPoint& p : column.histograms()) count += HistogramSampleCount(*p.histogram);
  return count;
}

int64_t CountSamples(const Rows& rows) {
  int64_t count = 0;
  for (const Row& row : rows) count += CountSamples(row.column);
  return count;
}

}  // namespace gauntlet::promql
