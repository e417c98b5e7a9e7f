// Engine: the life of a query: parse, plan, wait for a turn, evaluate within limits, answer.
//
//   Engine engine(options, executor);
//   GN_ASSIGN(auto query, engine.NewRangeQuery(storage, {}, "sum by (job) (rate(up[5m]))", start, end, step));
//   QueryResult result = query->Exec(cancel);
//
// Upstream: prometheus promql/engine.go
// Threads:  Engine is thread-safe; a Query is for one thread, and runs once.

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/memory_budget.h"
#include "base/status.h"
#include "promql/engine/result.h"
#include "promql/plan/explain.h"
#include "promql/syntax/ast.h"
#include "promql/syntax/parser.h"
#include "storage/storage.h"

namespace gauntlet::telemetry {
class Logger;
class Registry;
}  // namespace gauntlet::telemetry

namespace gauntlet::promql {

class RemoteEvaluator;  // promql/exec/remote.h

struct EngineOptions {
  std::chrono::milliseconds timeout{std::chrono::minutes(2)};
  int64_t max_samples = 50'000'000;  // 0 = no limit
  size_t query_memory_bytes = 0;     // per query; 0 = no limit but the process's
  size_t max_concurrent = 20;        // queries beyond it wait, until their deadline; 0 = no limit
  int64_t lookback_delta_ms = 5 * 60 * 1000;
  // Step of a subquery that names none, given its range; one minute when absent.
  std::function<int64_t(int64_t range_ms)> no_step_subquery_interval;
  // Where "queries.active" is kept: the queries that run, for the next start to log after a crash. Empty: nowhere.
  std::string active_query_dir;

  // What --enable-feature switches on.
  bool delayed_name_removal = false;
  bool type_and_unit_labels = false;
  bool use_start_timestamps = false;
  bool per_step_stats = false;
  bool experimental_functions = false;
  bool extended_range_selectors = false;
  bool binop_fill_modifiers = false;
  bool x_functions = false;  // --query.enable-x-functions
};

struct QueryOptions {
  int64_t lookback_delta_ms = 0;                            // 0 = the engine's
  std::chrono::milliseconds timeout{0};                     // 0 = the engine's; a longer one has no effect
  bool per_step_stats = false;                              // and the engine's must be on
  bool analyze = false;                                     // QueryResult::explanation tells what operators cost
  bool windows = false;                                     // see PlanOptions
  std::vector<std::pair<std::string, std::string>> origin;  // who asks, for the query log
  // Leaves that may evaluate parts of the query; null: there are none. Borrowed until the query has run.
  RemoteEvaluator* remote = nullptr;
};

class Query {
 public:
  virtual ~Query() = default;
  // Waits for a turn, evaluates. Call once.
  virtual QueryResult Exec(const Cancel& cancel) = 0;
  // The plan, not run.
  virtual Explanation Explain() const = 0;
  virtual const Expr& expr() const = 0;
  virtual const std::string& text() const = 0;
};

class Engine {
 public:
  // `process_budget`, `registry` (for prometheus_engine_*) and `logger` may be null. All are borrowed for the engine's
  // life.
  Engine(EngineOptions options, Executor& executor, MemoryBudget* process_budget, Clock& clock,
         telemetry::Registry* registry = nullptr, telemetry::Logger* logger = nullptr);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // kInvalid with the parser's text. `storage` is borrowed until the query has run.
  Result<std::unique_ptr<Query>> NewInstantQuery(storage::Queryable& storage, QueryOptions options, std::string text,
                                                 int64_t time_ms);
  // Also kInvalid for an expression that is neither a scalar nor an instant vector. REQUIRES: step_ms > 0.
  Result<std::unique_ptr<Query>> NewRangeQuery(storage::Queryable& storage, QueryOptions options, std::string text,
                                               int64_t start_ms, int64_t end_ms, int64_t step_ms);

  const EngineOptions& options() const { return options_; }
  // On which it evaluates.
  Executor& executor() const { return executor_; }
  // With which it parses: for those who look at an expression without running it.
  ParserOptions parser_options() const;

  class Impl;  // for the .cc file

 private:
  const EngineOptions options_;
  Executor& executor_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gauntlet::promql
