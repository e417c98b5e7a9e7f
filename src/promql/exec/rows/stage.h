// Stage: what is done to one series at a time, whatever the others are: functions of the value, arithmetic with a
// scalar, a range function over a subquery. Stages run fused, right after a series is decoded, on whichever thread did
// that.
//
// Threads: a stage is shared by all workers (const); WorkerScratch belongs to one batch.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "model/samples.h"
#include "promql/exec/rows/annotation_set.h"
#include "promql/exec/rows/poll.h"
#include "promql/exec/rows/row.h"

namespace gauntlet::promql {

struct ExecContext;

// Buffers that live from series to series, and what the series of a batch had to say.
struct WorkerScratch {
  Samples samples;
  std::vector<uint32_t> lo, hi, histogram_lo, histogram_hi;
  std::vector<int64_t> times_ms;
  std::vector<double> values;
  std::vector<double> doubles;
  std::vector<uint32_t> indexes;
  std::string text;
  AnnotationSet annotations;
  // Samples delivered by the selector, in all and per step (when asked for).
  int64_t total = 0, read = 0, window_max = 0;
  std::vector<int64_t> total_per_step, read_per_step;

  // For loops that may take long within one series: now and then an answer to "is the query over?".
  const ExecContext* context = nullptr;
  uint64_t work = 0;
  Status CheckCancelAfter(uint64_t more_work);
  // For loops that return no status, at every kPollSteps-th step: true when it is over. What they then leave
  // unfinished, CheckCancelBehind refuses.
  bool Ended() const;
  // Behind such a loop over so many steps or samples.
  Status CheckCancelBehind(uint64_t length) { return CheckCancelAfter(length < kPollSteps ? length : kPollWork); }
  // Calls fn(begin, end) for blocks of [0, size) and sees the end of the query between them.
  template <typename Fn>
  Status InBlocks(uint32_t size, Fn&& fn) {
    return promql::InBlocks(size, [this] { return Ended(); }, fn) ? Status() : CheckCancelAfter(kPollWork);
  }
};

class Stage {
 public:
  virtual ~Stage() = default;
  // Before the first row, on the pulling thread: evaluates scalar arguments.
  virtual Status Open() { return Status(); }
  // Upstream evaluates the input before those arguments: when both fail, the input's error is the one to report.
  virtual bool input_first() const { return true; }
  // Rewrites the row; leaves its column empty when nothing remains.
  virtual Status Apply(Row* row, WorkerScratch* scratch) const = 0;
  // Of the arguments.
  virtual void Annotate(AnnotationSet*) const {}
};

}  // namespace gauntlet::promql
