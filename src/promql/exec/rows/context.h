// ExecContext: what all operators of one query share: limits, counters, threads and the storage.
//
// Threads: `cancel`, `executor`, `budget` and `querier` are thread-safe; SampleMeter, HeldSamples and SampleScope
// belong
//          to the thread that pulls the root operator, which is one.

#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <vector>

#include "base/cancel.h"
#include "base/executor.h"
#include "base/memory_budget.h"
#include "base/status.h"
#include "promql/exec/rows/poll.h"
#include "promql/exec/rows/row.h"
#include "promql/plan/step_grid.h"
#include "storage/storage.h"

namespace gauntlet::promql {

// Samples that upstream would hold at once: what --query.max-samples limits. Ours hold less, but count alike.
class SampleMeter {
 public:
  explicit SampleMeter(int64_t limit) : limit_(limit) {}
  // kExhausted beyond the limit.
  Status Add(int64_t samples) {
    current_ += samples;
    peak_ = std::max(peak_, current_);
    if (limit_ > 0 && current_ > limit_) [[unlikely]] {
      return Status(Code::kExhausted, "query processing would load too many samples into memory in query execution");
    }
    return Status();
  }
  void Remove(int64_t samples) { current_ -= samples; }
  int64_t peak() const { return peak_; }

 private:
  const int64_t limit_;
  int64_t current_ = 0, peak_ = 0;
};

// One operator's part in the meter; given back when it goes.
class HeldSamples {
 public:
  explicit HeldSamples(SampleMeter& meter) : meter_(meter) {}
  HeldSamples(const HeldSamples&) = delete;
  HeldSamples& operator=(const HeldSamples&) = delete;
  ~HeldSamples() { meter_.Remove(held_); }
  Status Set(int64_t samples) {
    int64_t more = samples - held_;
    held_ = samples;
    return meter_.Add(more);
  }
  int64_t held() const { return held_; }

 private:
  SampleMeter& meter_;
  int64_t held_ = 0;
};

// Samples that the selectors on one grid have delivered, as upstream's query statistics count them.
struct SampleScope {
  int64_t total = 0, read = 0;
  // One entry per step of the grid when asked for; else empty.
  std::vector<int64_t> total_per_step, read_per_step;

  // What was counted once for a part that is repeated at `steps` steps.
  void AddRepeated(const SampleScope& inner, uint32_t steps) {
    total += inner.total * steps;
    read += inner.read;
    for (int64_t& t : total_per_step) t += inner.total;
    if (!read_per_step.empty()) read_per_step[0] += inner.read;
  }
};

struct ExecOptions {
  bool delayed_name_removal = false;
  bool type_and_unit_labels = false;
  bool use_start_timestamps = false;
  // Dropping names may make series equal: hold them all and merge. Without it such a query ends with kNeedsCare, and is
  // to be run again with it.
  bool careful = false;
};

class Analysis;         // analysis.h
class RemoteEvaluator;  // remote.h

struct ExecContext {
  const Cancel& cancel;
  Executor& executor;
  MemoryBudget* budget;  // may be null
  storage::Querier& querier;
  ExecOptions options;
  SampleMeter meter;
  std::atomic<bool> needs_care{false};
  Analysis* analysis = nullptr;       // of EXPLAIN ANALYZE; else null
  RemoteEvaluator* remote = nullptr;  // where the plan has remote parts
  std::atomic<bool> needs_local{false};

  // Ok, or the end of the query in upstream's words.
  Status CheckCancel() const { return cancel.stopped() ? Stopped() : Status(); }
  // Calls fn(begin, end) for blocks of [0, size) and sees the end of the query between them.
  template <typename Fn>
  Status InBlocks(uint32_t size, Fn&& fn) const {
    return promql::InBlocks(size, [this] { return cancel.stopped(); }, fn) ? Status() : Stopped();
  }
  // Calls fn(step) for each set bit of [0, steps), ascending; sees the end of the query as InBlocks does.
  template <typename Fn>
  Status ForEachStep(const uint64_t* present, uint32_t steps, Fn&& fn) const {
    return InBlocks(steps, [&](uint32_t begin, uint32_t end) {
      ForEachBit(present + begin / 64, Column::WordCount(end - begin), [&](uint32_t i) { fn(begin + i); });
    });
  }
  Status Stopped() const {
    return cancel.status().code() == Code::kDeadline
               ? Status(Code::kDeadline, "query timed out in expression evaluation")
               : Status(Code::kCancelled, "query was canceled in expression evaluation");
  }
  // Two series became equal by losing their names where the operator cannot go back.
  Status NeedsCare() {
    needs_care = true;
    return Status(Code::kInternal, "series became equal by losing their names");
  }
  // What leaves have answered does not say what the result is: the query is to be run again without them.
  Status NeedsLocal() {
    needs_local = true;
    return Status(Code::kInternal, "the answers of the leaves do not make the result");
  }
};

inline Status SameLabelset() { return Status(Code::kInvalid, "vector cannot contain metrics with the same labelset"); }

}  // namespace gauntlet::promql
