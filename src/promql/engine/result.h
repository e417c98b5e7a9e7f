// QueryResult: what a query answers, in a shape that is cheap to write as JSON.
//
// Series of a vector or a range query are Rows: one dense array of floats and a bitmap of the steps that are there, so
// a writer skips by words of 64 steps and never looks at points that are not. Times are those of `grid`. A range
// selector asked for directly (`up[5m]`) has samples at their own times instead: `matrix`.
//
//   for (const Row& row : result.rows) {
//     ForEachBit(row.column.present(), row.column.words(), [&](uint32_t step) {
//       WritePoint(result.grid.time_ms(step), row.column.values()[step]);
//     });
//     for (const HistogramPoint& p : row.column.histograms()) ...
//   }
//
// Upstream: prometheus promql/value.go, util/stats/query_stats.go
// Threads:  a value.                            Owns: everything; its memory counts in the process's budget until it
// goes.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/memory_budget.h"
#include "base/status.h"
#include "model/annotations.h"
#include "promql/exec/rows/row.h"
#include "promql/plan/explain.h"
#include "promql/plan/step_grid.h"
#include "promql/syntax/ast.h"

namespace gauntlet::promql {

// Seconds, and samples as Prometheus counts them.
struct QueryStats {
  double eval_total = 0, result_sort = 0, query_preparation = 0, inner_eval = 0, exec_queue = 0, exec_total = 0;
  int64_t total_queryable_samples = 0;  // a range function counts its whole window at each step
  int64_t samples_read = 0;             // and here only what a step newly sees
  int64_t peak_samples = 0;             // held at once, in Prometheus' way of holding them
  // With per-step statistics: one entry per step of the query's grid.
  std::vector<int64_t> total_queryable_samples_per_step, samples_read_per_step;
  size_t peak_memory_bytes = 0;  // ours: of the query's memory budget
};

// A query's memory: its budget, and what its result holds of it.
struct QueryMemory {
  QueryMemory(size_t limit_bytes, MemoryBudget* process) : budget("query", limit_bytes, process) {}
  MemoryBudget budget;
  MemoryCharge charge{&budget, "result"};
};

struct QueryResult {
  // What went wrong: texts as Prometheus'. kDeadline and kCancelled for "query timed out in ..." and "query was
  // canceled in ...", kExhausted for limits on samples and memory, other codes of storage as they came. `annotations`
  // and `stats` hold what was known by then.
  Status status;

  // kScalar, kVector, kMatrix, kString. A range query is always a kMatrix.
  ValueType type = ValueType::kNone;
  // kVector: one step, in the order of evaluation (meaningful after sort and topk). kMatrix of a range query: by
  // labels.
  std::vector<Row> rows;
  StepGrid grid;
  // kMatrix of an instant query, by labels.
  std::vector<RawSeries> matrix;
  double scalar = 0;
  std::string string;

  Annotations annotations;
  QueryStats stats;
  std::optional<Explanation> explanation;  // when QueryOptions::analyze asked for it

  std::unique_ptr<QueryMemory> memory;
};

}  // namespace gauntlet::promql
