#include "promql/engine/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/fair_gate.h"
#include "promql/engine/active_queries.h"
#include "promql/engine/metrics.h"
#include "promql/exec/analysis.h"
#include "promql/exec/evaluation.h"
#include "promql/exec/remote.h"
#include "promql/plan/planner.h"
#include "promql/syntax/parser.h"
#include "telemetry/log.h"

namespace gauntlet::promql {
namespace {

// The end of a query while `doing`, in upstream's words.
Status Ended(const Cancel& cancel, std::string_view doing) {
  bool timed_out = cancel.status().code() == Code::kDeadline;
  return timed_out ? Status(Code::kDeadline, fmt::format("query timed out in {}", doing))
                   : Status(Code::kCancelled, fmt::format("query was canceled in {}", doing));
}

// Adds the time until it goes to a statistic.
class Timer {
 public:
  Timer(Clock& clock, double* seconds, SliceMetrics* slice = nullptr)
      : clock_(clock), seconds_(seconds), slice_(slice), start_(clock.Now()) {}
  ~Timer() { Stop(); }
  void Stop() {
    if (seconds_ == nullptr) return;
    double elapsed = std::chrono::duration<double>(clock_.Now() - start_).count();
    *std::exchange(seconds_, nullptr) += elapsed;
    if (slice_ != nullptr) slice_->Observe(elapsed);
  }

 private:
  Clock& clock_;
  double* seconds_;
  SliceMetrics* slice_;
  const Cancel::TimePoint start_;
};

ParserOptions ParserOptionsOf(const EngineOptions& options) {
  ParserOptions parser;
  parser.experimental_functions = options.experimental_functions;
  parser.extended_range_selectors = options.extended_range_selectors;
  parser.binop_fill = options.binop_fill_modifiers;
  parser.x_functions = options.x_functions;
  return parser;
}

void SortByLabels(Rows* rows) {
  auto less = [](const Row& a, const Row& b) { return CompareLabels(a.labels, b.labels) < 0; };
  // Storage gives series in order, and most of what is done to them keeps it.
  if (!std::is_sorted(rows->begin(), rows->end(), less)) std::sort(rows->begin(), rows->end(), less);
}

}  // namespace

class Engine::Impl {
 public:
  Impl(const EngineOptions& options, Executor& executor, MemoryBudget* process, Clock& clock,
       telemetry::Registry* registry, telemetry::Logger* logger)
      : options_(options),
        executor_(executor),
        process_(process),
        clock_(clock),
        metrics_(registry, options.max_concurrent),
        gate_(options.max_concurrent) {
    if (options.active_query_dir.empty()) return;
    telemetry::Logger& log = logger != nullptr ? *logger : telemetry::Logger::Discard();
    std::string unfinished;
    auto active =
        ActiveQueries::Open(options.active_query_dir, std::max<size_t>(1, options.max_concurrent), &unfinished);
    if (!active.ok()) {
      GN_LOG(log, kError, "the active query log cannot be kept", {"err", active.status()});
      return;
    }
    active_ = *std::move(active);
    if (!unfinished.empty()) {
      GN_LOG(log, kInfo, "These queries didn't finish in prometheus' last run:", {"queries", unfinished});
    }
  }

  Result<std::unique_ptr<Query>> NewQuery(storage::Queryable& storage, QueryOptions options, std::string text,
                                          PlanOptions times);

  const EngineOptions& options_;
  Executor& executor_;
  MemoryBudget* process_;
  Clock& clock_;
  EngineMetrics metrics_;
  FairGate gate_;
  std::unique_ptr<ActiveQueries> active_;
};

namespace {

// One query, from plan to result.
class EngineQuery : public Query {
 public:
  // `times`: what the plan was made with.
  EngineQuery(Engine::Impl& engine, storage::Queryable& storage, QueryOptions options, std::string text, ExprPtr expr,
              PlanOptions times, Plan plan, bool range)
      : engine_(engine),
        storage_(storage),
        options_(std::move(options)),
        text_(std::move(text)),
        expr_(std::move(expr)),
        times_(std::move(times)),
        plan_(std::move(plan)),
        range_(range) {}

  Explanation Explain() const override { return promql::Explain(*plan_.root); }
  const Expr& expr() const override { return *expr_; }
  const std::string& text() const override { return text_; }

  QueryResult Exec(const Cancel& parent) override {
    QueryResult result;
    result.memory = std::make_unique<QueryMemory>(engine_.options_.query_memory_bytes, engine_.process_);
    auto timeout = engine_.options_.timeout;
    if (options_.timeout.count() > 0) timeout = std::min(timeout, options_.timeout);
    CancelSource source(parent, timeout);
    engine_.metrics_.Begin();
    {
      Timer total(engine_.clock_, &result.stats.exec_total);
      result.status = InTurn(source.cancel(), &result);
    }
    engine_.metrics_.End(result.stats);
    result.stats.peak_memory_bytes = result.memory->budget.peak_bytes();
    return result;
  }

 private:
  Status InTurn(const Cancel& cancel, QueryResult* result) {
    Timer queue(engine_.clock_, &result->stats.exec_queue, &engine_.metrics_.queue);
    Result<FairGate::Pass> pass = engine_.gate_.Enter(cancel);
    queue.Stop();
    if (!pass.ok()) return Ended(cancel, "query queue");
    struct Turn {
      Engine::Impl& engine;
      size_t place;
      ~Turn() {
        if (engine.active_ != nullptr) engine.active_->Remove(place);
      }
    } turn{engine_, engine_.active_ != nullptr ? engine_.active_->Insert(text_, engine_.clock_.NowMs() / 1000) : 0};
    Timer eval(engine_.clock_, &result->stats.eval_total);
    if (cancel.stopped()) return Ended(cancel, "query execution");
    std::unique_ptr<storage::Querier> querier;
    {
      Timer prepare(engine_.clock_, &result->stats.query_preparation, &engine_.metrics_.prepare);
      GN_ASSIGN(querier, storage_.MakeQuerier(plan_.min_time_ms, plan_.max_time_ms));
    }
    AnnotationSet annotations;
    Needs needs;
    Status status = Evaluate(cancel, *querier, needs, result, &annotations, &needs);
    // An error is to be the one that is found here.
    if (plan_.distributed && status.code() == Code::kInvalid) needs.local = true;
    // A plan without leaves needs no other one, and care is taken only once.
    while ((needs.care || needs.local) && !cancel.stopped()) {
      if (needs.local) {
        GN_ASSIGN(plan_, MakePlan(*expr_, times_));
      }
      annotations = AnnotationSet();
      const Needs met = std::exchange(needs, {});
      status = Evaluate(cancel, *querier, met, result, &annotations, &needs);
    }
    result->annotations = annotations.Render(text_);
    GN_TRY(status);
    Timer sort(engine_.clock_, &result->stats.result_sort, &engine_.metrics_.sort);
    return Present(result);
  }

  // What an evaluation found out too late.
  struct Needs {
    bool care = false;   // series became equal by losing their names
    bool local = false;  // leaves must not be asked
  };

  Status Evaluate(const Cancel& cancel, storage::Querier& querier, Needs met, QueryResult* result,
                  AnnotationSet* annotations, Needs* needs) {
    Timer inner(engine_.clock_, &result->stats.inner_eval, &engine_.metrics_.inner_eval);
    const EngineOptions& options = engine_.options_;
    ExecContext context{
        .cancel = cancel,
        .executor = engine_.executor_,
        .budget = &result->memory->budget,
        .querier = querier,
        .options = {.delayed_name_removal = options.delayed_name_removal,
                    .type_and_unit_labels = options.type_and_unit_labels,
                    .use_start_timestamps = options.use_start_timestamps,
                    .careful = met.care},
        .meter = SampleMeter(options.max_samples),
        .remote = options_.remote,
    };
    Analysis analysis(engine_.clock_);
    if (options_.analyze) context.analysis = &analysis;
    EvaluationOutput out;
    result->memory->charge.Clear();
    Status status;
    {
      auto evaluation = Evaluation::Make(context, plan_, options.per_step_stats && options_.per_step_stats);
      if (!evaluation.ok()) return evaluation.status();
      status = (*evaluation)->Run(&out, &result->memory->charge);
      (*evaluation)->Annotate(annotations);
      const SampleScope& samples = (*evaluation)->samples();
      result->stats.total_queryable_samples = samples.total;
      result->stats.samples_read = samples.read;
      result->stats.total_queryable_samples_per_step = samples.total_per_step;
      result->stats.samples_read_per_step = samples.read_per_step;
    }
    result->stats.peak_samples = context.meter.peak();
    if (options_.analyze) result->explanation = analysis.Explain(*plan_.root);
    *needs = {context.needs_care, context.needs_local};
    if (status.ok()) {
      result->rows = std::move(out.rows);
      result->matrix = std::move(out.raw);
      result->string = std::move(out.string);
    } else if (cancel.stopped()) {
      status = Ended(cancel, "expression evaluation");
    }
    return status;
  }

  // Gives the result its type and order.
  Status Present(QueryResult* result) const {
    result->type = range_ ? ValueType::kMatrix : plan_.root->type;
    result->grid = plan_.root->grid;
    switch (result->type) {
      case ValueType::kScalar:
        result->scalar = result->rows.front().column.values()[0];
        result->rows.clear();
        break;
      case ValueType::kMatrix:
        SortByLabels(&result->rows);
        std::sort(result->matrix.begin(), result->matrix.end(),
                  [](const RawSeries& a, const RawSeries& b) { return CompareLabels(a.labels, b.labels) < 0; });
        break;
      default:
        break;
    }
    return Status();
  }

  Engine::Impl& engine_;
  storage::Queryable& storage_;
  const QueryOptions options_;
  const std::string text_;
  const ExprPtr expr_;
  const PlanOptions times_;
  Plan plan_;
  const bool range_;
};

}  // namespace

Result<std::unique_ptr<Query>> Engine::Impl::NewQuery(storage::Queryable& storage, QueryOptions options,
                                                      std::string text, PlanOptions times) {
  GN_ASSIGN(ExprPtr expr, ParseExpr(text, ParserOptionsOf(options_)));
  const bool range = times.step_ms > 0;
  if (range && expr->type() != ValueType::kVector && expr->type() != ValueType::kScalar) {
    return Status(Code::kInvalid,
                  fmt::format("invalid expression type \"{}\" for range query, must be Scalar or instant Vector",
                              DocumentedType(expr->type())));
  }
  times.lookback_delta_ms = options.lookback_delta_ms > 0 ? options.lookback_delta_ms : options_.lookback_delta_ms;
  times.no_step_subquery_interval = options_.no_step_subquery_interval;
  times.windows = options.windows;
  times.type_and_unit_labels = options_.type_and_unit_labels;
  // What these features change, a leaf may see otherwise.
  const bool alike = !options_.delayed_name_removal && !options_.type_and_unit_labels && !options_.use_start_timestamps;
  const Leaves* leaves = options.remote != nullptr && alike ? &options.remote->leaves() : nullptr;
  GN_ASSIGN(Plan plan, MakePlan(*expr, times, leaves, text));
  return std::unique_ptr<Query>(std::make_unique<EngineQuery>(
      *this, storage, std::move(options), std::move(text), std::move(expr), std::move(times), std::move(plan), range));
}

Engine::Engine(EngineOptions options, Executor& executor, MemoryBudget* process_budget, Clock& clock,
               telemetry::Registry* registry, telemetry::Logger* logger)
    : options_(std::move(options)),
      executor_(executor),
      impl_(std::make_unique<Impl>(options_, executor, process_budget, clock, registry, logger)) {}

Engine::~Engine() = default;

ParserOptions Engine::parser_options() const { return ParserOptionsOf(options_); }

Result<std::unique_ptr<Query>> Engine::NewInstantQuery(storage::Queryable& storage, QueryOptions options,
                                                       std::string text, int64_t time_ms) {
  PlanOptions times;
  times.start_ms = times.end_ms = time_ms;
  return impl_->NewQuery(storage, std::move(options), std::move(text), std::move(times));
}

Result<std::unique_ptr<Query>> Engine::NewRangeQuery(storage::Queryable& storage, QueryOptions options,
                                                     std::string text, int64_t start_ms, int64_t end_ms,
                                                     int64_t step_ms) {
  PlanOptions times;
  times.start_ms = start_ms;
  times.end_ms = end_ms;
  times.step_ms = step_ms;
  return impl_->NewQuery(storage, std::move(options), std::move(text), std::move(times));
}

}  // namespace gauntlet::promql
