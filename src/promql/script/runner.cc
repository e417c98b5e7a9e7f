#include "promql/script/runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "promql/script/compare.h"
#include "promql/script/difference.h"
#include "promql/script/nhcb.h"
#include "promql/script/script_storage.h"
#include "promql/syntax/function_table.h"
#include "promql/syntax/parser.h"
#include "promql/syntax/printer.h"
#include "promql/syntax/walk.h"

namespace gauntlet::promql {
namespace {

constexpr int64_t kMinuteMs = 60'000;

struct InstantRun {
  std::string expr;
  int64_t time_ms;
};

bool DependsOnTime(std::string_view function) {
  static constexpr std::string_view kNames[] = {"day_of_month", "day_of_week", "day_of_year", "days_in_month",  "end",
                                                "hour",         "minute",      "month",       "predict_linear", "range",
                                                "start",        "step",        "time",        "timestamp",      "year"};
  return std::binary_search(std::begin(kNames), std::end(kNames), function);
}

void PinTime(TimeModifiers* time, int64_t time_ms) {
  if (time->at == AtModifier::kTimestamp) return;
  time->at = AtModifier::kTimestamp;
  time->at_ms = time_ms;
}

// Pins all selectors and outermost subqueries to `time_ms`. False when the expression depends on time anyway.
bool PinTimes(Expr* expr, int64_t time_ms) {
  bool pinned = true;
  switch (expr->kind) {
    case NodeKind::kVectorSelector:
      PinTime(&static_cast<VectorSelector*>(expr)->time, time_ms);
      return true;
    case NodeKind::kSubquery:
      PinTime(&static_cast<SubqueryExpr*>(expr)->time, time_ms);
      return true;  // what is inside follows the subquery
    case NodeKind::kCall:
      if (DependsOnTime(static_cast<Call*>(expr)->function->name)) return false;
      break;
    default:
      break;
  }
  ForEachChild(*expr, [&](Expr& child) { pinned = PinTimes(&child, time_ms) && pinned; });
  return pinned;
}

// The same eval in other words and at other times.
std::vector<InstantRun> PinnedRuns(const EvalCommand& eval) {
  ParserOptions options;
  options.experimental_functions = options.extended_range_selectors = options.binop_fill = true;
  Result<ExprPtr> expr = ParseExpr(eval.expr, options);
  if (!expr.ok() || !PinTimes(expr->get(), eval.end_ms)) return {};
  std::string text = ToString(**expr);
  const int64_t ts = eval.end_ms;
  std::vector<int64_t> times = {-10 * ts, 0, ts / 5, ts, 10 * ts};
  if (ts == 0) times = {-1000, 0, 1000};
  std::vector<InstantRun> runs;
  for (int64_t time : times) runs.push_back({text, time});
  return runs;
}

bool DependsOnQuery(std::string_view expr) {
  for (std::string_view call : {"start()", "end()", "range()", "step()"}) {
    if (expr.find(call) != std::string_view::npos) return true;
  }
  return false;
}

Status Load(const LoadCommand& load, ScriptStorage* storage) {
  for (const LoadCommand::Series& series : load.series) {
    for (size_t i = 0; i < series.values.size(); ++i) {
      const SequenceValue& value = series.values[i];
      if (value.omitted) continue;
      int64_t time_ms = static_cast<int64_t>(i) * load.step_ms;
      int64_t start_ms = 0;
      if (!series.start_offsets_ms.empty() && series.start_offsets_ms[i]) {
        start_ms = time_ms + *series.start_offsets_ms[i];
      }
      if (value.histogram) {
        storage->AppendHistogram(series.labels, time_ms, *value.histogram, start_ms);
      } else {
        storage->Append(series.labels, time_ms, value.value, start_ms);
      }
    }
  }
  if (load.with_nhcb) GN_TRY(AppendCustomBucketHistograms(load, storage));
  return storage->Flush();
}

class ScriptRunner {
 public:
  explicit ScriptRunner(Engine& engine) : engine_(engine) {}

  Result<ScriptReport> Run(const Script& script) {
    for (const Script::Command& command : script.commands) {
      if (const auto* load = std::get_if<LoadCommand>(&command)) {
        GN_TRY(Load(*load, &storage_));
      } else if (const auto* eval = std::get_if<EvalCommand>(&command)) {
        difference_.clear();
        Status status = Eval(*eval);
        if (status.ok()) {
          ++report_.passed;
        } else {
          report_.failures.push_back({eval->line, eval->expr, std::string(status.message()), std::move(difference_),
                                      status.code() == Code::kUnsupported});
        }
      } else {
        storage_.Clear();
      }
    }
    return std::move(report_);
  }

 private:
  Status Eval(const EvalCommand& eval) {
    if (eval.range) {
      return Judge(eval,
                   engine_.NewRangeQuery(storage_.storage(), {}, eval.expr, eval.start_ms, eval.end_ms, eval.step_ms),
                   nullptr);
    }
    GN_TRY(RunInstant(eval, {eval.expr, eval.end_ms}));
    for (const InstantRun& run : PinnedRuns(eval)) {
      Status status = RunInstant(eval, run);
      if (!status.ok()) return std::move(status).Wrap(fmt::format("as {} at {}", run.expr, run.time_ms));
    }
    return Status();
  }

  Status RunInstant(const EvalCommand& eval, const InstantRun& run) {
    QueryResult result;
    bool compared = false;
    GN_TRY(Judge(eval, engine_.NewInstantQuery(storage_.storage(), {}, run.expr, run.time_ms), &result, &compared));
    if (!compared || eval.range_vector || eval.string_expected || DependsOnQuery(run.expr)) return Status();
    GN_ASSIGN(auto query, engine_.NewRangeQuery(storage_.storage(), {}, run.expr, run.time_ms - kMinuteMs,
                                                run.time_ms + kMinuteMs, kMinuteMs));
    QueryResult range = query->Exec(Cancel());
    if (!range.status.ok()) return std::move(range.status).Wrap("in range mode");
    if (eval.ordered) return Status();
    Status same = CompareStep(eval, range, 1, result.type);
    if (!same.ok()) difference_ = Difference(eval, range, 1);
    return std::move(same).Wrap("in range mode");
  }

  // Runs a query (which may not have been made) and compares. `compared`: whether there was a result.
  Status Judge(const EvalCommand& eval, Result<std::unique_ptr<Query>> query, QueryResult* out,
               bool* compared = nullptr) {
    QueryResult result;
    if (!query.ok()) {
      result.status = query.status();
    } else {
      result = (*query)->Exec(Cancel());
    }
    if (!result.status.ok()) {
      // What we cannot do yet is never the error that was expected.
      bool judged = eval.fail && result.status.code() != Code::kUnsupported;
      return judged ? CompareFailure(eval, result.status) : result.status;
    }
    if (eval.fail) return Status(Code::kInvalid, "expected an error but got none");
    GN_TRY(CompareAnnotations(eval, result.annotations));
    Status same = CompareResult(eval, result);
    if (!same.ok()) difference_ = Difference(eval, result, 0);
    GN_TRY(same);
    if (compared != nullptr) *compared = true;
    if (out != nullptr) *out = std::move(result);
    return Status();
  }

  Engine& engine_;
  ScriptStorage storage_;
  ScriptReport report_;
  std::vector<std::string> difference_;  // of the eval at hand
};

}  // namespace

EngineOptions ScriptEngineOptions() {
  EngineOptions options;
  options.timeout = std::chrono::seconds(100);
  options.max_samples = 10'000;
  options.max_concurrent = 0;
  options.delayed_name_removal = true;
  options.use_start_timestamps = true;
  options.experimental_functions = true;
  options.extended_range_selectors = true;
  options.binop_fill_modifiers = true;
  return options;
}

Status LoadScript(std::string_view text, ScriptStorage* storage) {
  GN_ASSIGN(Script script, ParseScript(text));
  for (const Script::Command& command : script.commands) {
    if (const auto* load = std::get_if<LoadCommand>(&command)) GN_TRY(Load(*load, storage));
  }
  return Status();
}

Result<ScriptReport> RunScript(std::string_view text, Engine& engine) {
  GN_ASSIGN(Script script, ParseScript(text));
  return ScriptRunner(engine).Run(script);
}

}  // namespace gauntlet::promql
