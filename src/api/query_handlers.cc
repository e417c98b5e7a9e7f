#include "api/query_handlers.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "api/envelope.h"
#include "api/result_json.h"
#include "api/tenancy.h"
#include "base/clock.h"
#include "model/float_text.h"
#include "promql/syntax/ast_json.h"
#include "promql/syntax/parser.h"
#include "promql/syntax/prettier.h"

namespace gauntlet::api {
namespace {

constexpr int64_t kPointsMax = 11'000;
constexpr int64_t kFiveMinutesMs = 300'000, kHourMs = 3'600'000;

void WriteAnalysis(json::Writer& writer, const promql::QueryResult& result,
                   const std::vector<storeapi::FanoutEntry>& fanout) {
  writer.BeginObject().StringMember("name", "query");
  writer.StringMember("executionTime", FormatFloatG(result.stats.eval_total) + "s");
  writer.IntMember("peakSamples", result.stats.peak_samples)
      .IntMember("totalSamples", result.stats.total_queryable_samples);
  writer.Key("fanout").BeginArray();
  for (const auto& entry : fanout) {
    writer.BeginObject()
        .StringMember("endpointAddr", entry.address)
        .StringMember("duration", FormatFloatG(entry.seconds) + "s");
    writer.IntMember("bytesProcessed", static_cast<int64_t>(entry.bytes))
        .IntMember("numResponses", static_cast<int64_t>(entry.responses));
    writer.IntMember("series", static_cast<int64_t>(entry.series))
        .IntMember("chunks", static_cast<int64_t>(entry.chunks));
    writer.IntMember("samples", static_cast<int64_t>(entry.samples)).EndObject();
  }
  writer.EndArray();
  if (result.explanation) {
    writer.Key("children").BeginArray();
    WriteExplanation(writer, *result.explanation);
    writer.EndArray();
  }
  writer.EndObject();
}

void ReplyExplanation(net::HttpReply& reply, const Annotations& annotations, const promql::Explanation& explanation) {
  ReplyData(reply, annotations, [&](JsonReply& json) { WriteExplanation(json.writer(), explanation); });
}

}  // namespace

ErrorType EvaluationErrorType(const Status& status) {
  switch (status.code()) {
    case Code::kCancelled:
      return ErrorType::kCanceled;
    case Code::kDeadline:
      return ErrorType::kTimeout;
    case Code::kInternal:
      return ErrorType::kInternal;
    default:
      return ErrorType::kExecution;
  }
}

QueryHandlers::QueryHandlers(const QuerySettings& settings, promql::Engine& engine, query::DataSource source,
                             server::Gate& gate, telemetry::Registry& registry, query::LeafSource leaves)
    : settings_(settings),
      engine_(engine),
      source_(std::move(source)),
      leaves_(std::move(leaves)),
      gate_(gate),
      range_seconds_(registry.MakeHistogram("thanos_query_range_requested_timespan_duration_seconds",
                                            "A histogram of the query range window in seconds",
                                            {15 * 60, 3600, 6 * 3600, 12 * 3600, 86400, 2 * 86400, 7 * 86400,
                                             30 * 86400, 90 * 86400, 180 * 86400, 365 * 86400})),
      store_durations_(settings.store_durations, registry) {}

void QueryHandlers::Register(net::HttpRouter& router) {
  auto instant = [this](const auto& request, const Cancel& cancel, auto& reply) { Instant(request, cancel, reply); };
  auto range = [this](const auto& request, const Cancel& cancel, auto& reply) { Range(request, cancel, reply); };
  router.Add("GET,POST", "/api/v1/query_explain", "query", instant);
  router.Add("GET,POST", "/api/v1/query_range_explain", "query", range);
  router.Add("GET,POST", "/api/v1/query", "query", instant);
  router.Add("GET,POST", "/api/v1/query_range", "query_range", range);
  router.Add("GET,POST", "/api/v1/format_query", "format_query",
             [this](const auto& request, const Cancel&, auto& reply) { Format(request, reply); });
  router.Add("GET,POST", "/api/v1/parse_query", "parse_query",
             [this](const auto& request, const Cancel&, auto& reply) { Parse(request, reply); });
}

QueryHandlers::Asked QueryHandlers::Common(const net::HttpRequest& request, Parameters& parameters) {
  Asked asked;
  asked.scope = ParseScope(settings_, request, parameters);
  asked.options.timeout = std::chrono::milliseconds(parameters.Duration("timeout", 0));
  asked.options.lookback_delta_ms = parameters.Duration("lookback_delta", 0);
  if (asked.options.lookback_delta_ms < 0)
    parameters.Refuse("lookback_delta", Status(Code::kInvalid, "negative lookback delta is not accepted"));
  std::string_view engine = parameters.Text("engine");
  if (!engine.empty() && engine != "prometheus" && engine != "thanos") {
    parameters.Refuse("engine", Status(Code::kInvalid, "unknown query engine type: '" + std::string(engine) + "'"));
  }
  asked.text = parameters.Text("query");
  asked.limit = parameters.Count("limit", 0);
  asked.stats = parameters.Has("stats");
  asked.options.per_step_stats = parameters.Text("stats") == "all";
  asked.options.analyze = parameters.Bool("analyze", false);
  asked.explain = request.path.ends_with("_explain");
  asked.options.origin = {{"clientIP", request.remote_address.substr(0, request.remote_address.rfind(':'))},
                          {"path", request.path}};
  return asked;
}

// A downsampled sample stands for its whole window and lies at its end; but the last one of a chunk lies where its last
// raw sample was. So up to the length of two windows is between samples of a series without gaps. (Upstream looks back
// one window, and shows a hole there.)
int64_t QueryHandlers::Lookback(int64_t asked_ms, int64_t resolution_ms) const {
  int64_t lookback = asked_ms > 0 ? asked_ms : settings_.lookback_delta_ms;
  if (!settings_.dynamic_lookback_delta || asked_ms > 0) return lookback;
  if (resolution_ms >= kHourMs) return std::max(lookback, 2 * kHourMs);
  if (resolution_ms >= kFiveMinutesMs) return std::max(lookback, 2 * kFiveMinutesMs);
  return lookback;
}

Status QueryHandlers::Enforce(const net::HttpRequest& request, std::string* text) const {
  if (!settings_.enforce_tenancy) return Status();
  GN_ASSIGN(*text, EnforceTenant(*text, settings_.tenant_label, request.tenant));
  return Status();
}

void QueryHandlers::Instant(const net::HttpRequest& request, const Cancel& cancel, net::HttpReply& reply) {
  Parameters parameters(request);
  int64_t time_ms = parameters.Time("time", SystemClock().NowMs());
  Asked asked = Common(request, parameters);
  asked.scope.max_resolution_ms = ParseMaxResolution(parameters, 0, settings_.instant_max_resolution_ms);
  if (!parameters.ok()) return ReplyError(reply, ErrorType::kBadData, parameters.error().message());
  asked.options.lookback_delta_ms = Lookback(asked.options.lookback_delta_ms, asked.scope.max_resolution_ms);
  asked.options.windows = settings_.downsampled_data && asked.scope.max_resolution_ms > 0;
  if (Status st = Enforce(request, &asked.text); !st.ok()) return ReplyError(reply, ErrorType::kBadData, st.message());

  query::FanoutReport report;
  std::unique_ptr<storage::Queryable> storage = source_(asked.scope, &report);
  std::unique_ptr<promql::RemoteEvaluator> leaves = leaves_ ? leaves_(asked.scope) : nullptr;
  asked.options.remote = leaves.get();
  auto query = engine_.NewInstantQuery(*storage, asked.options, asked.text, time_ms);
  if (!query.ok()) return ReplyBadParameter(reply, "query", query.status());
  Answer(**query, asked, report, cancel, reply);
}

void QueryHandlers::Range(const net::HttpRequest& request, const Cancel& cancel, net::HttpReply& reply) {
  Parameters parameters(request);
  if (!parameters.Has("start"))
    parameters.Refuse("start", Status(Code::kInvalid, "cannot parse \"\" to a valid timestamp"));
  if (!parameters.Has("end"))
    parameters.Refuse("end", Status(Code::kInvalid, "cannot parse \"\" to a valid timestamp"));
  int64_t start_ms = parameters.Time("start", 0), end_ms = parameters.Time("end", 0);
  if (parameters.ok() && end_ms < start_ms) {
    parameters.Refuse("end", Status(Code::kInvalid, "end timestamp must not be before start time"));
  }
  int64_t step_ms = parameters.Duration("step", std::max((end_ms - start_ms) / 250, settings_.default_step_ms));
  if (step_ms <= 0) {
    parameters.Refuse("step",
                      Status(Code::kInvalid,
                             "zero or negative query resolution step widths are not accepted. Try a positive integer"));
  }
  Asked asked = Common(request, parameters);
  int64_t automatic = settings_.auto_downsampling ? step_ms / 5 : 0;
  asked.scope.max_resolution_ms = ParseMaxResolution(parameters, step_ms, automatic);
  if (!parameters.ok()) return ReplyError(reply, ErrorType::kBadData, parameters.error().message());
  if ((end_ms - start_ms) / step_ms > kPointsMax) {
    return ReplyError(
        reply, ErrorType::kBadData,
        "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)");
  }
  asked.options.lookback_delta_ms = Lookback(asked.options.lookback_delta_ms, asked.scope.max_resolution_ms);
  asked.options.windows = settings_.downsampled_data && asked.scope.max_resolution_ms > 0;
  if (Status st = Enforce(request, &asked.text); !st.ok()) return ReplyError(reply, ErrorType::kBadData, st.message());
  range_seconds_.Observe(static_cast<double>(end_ms - start_ms) / 1000);

  query::FanoutReport report;
  std::unique_ptr<storage::Queryable> storage = source_(asked.scope, &report);
  std::unique_ptr<promql::RemoteEvaluator> leaves = leaves_ ? leaves_(asked.scope) : nullptr;
  asked.options.remote = leaves.get();
  auto query = engine_.NewRangeQuery(*storage, asked.options, asked.text, start_ms, end_ms, step_ms);
  if (!query.ok()) return ReplyBadParameter(reply, "query", query.status());
  Answer(**query, asked, report, cancel, reply);
}

void QueryHandlers::Answer(promql::Query& query, const Asked& asked, query::FanoutReport& report, const Cancel& cancel,
                           net::HttpReply& reply) {
  if (asked.explain && !asked.options.analyze) return ReplyExplanation(reply, {}, query.Explain());
  CancelSource source(cancel, asked.options.timeout.count() > 0 ? std::min(asked.options.timeout, settings_.timeout)
                                                                : settings_.timeout);
  Result<server::Gate::Pass> pass = gate_.Enter(source.cancel());
  if (!pass.ok()) return ReplyError(reply, EvaluationErrorType(pass.status()), "query timed out in query queue");
  auto start = std::chrono::steady_clock::now();
  promql::QueryResult result = query.Exec(source.cancel());
  std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::vector<storeapi::FanoutEntry> fanout = report.Take();
  if (!result.status.ok()) return ReplyError(reply, EvaluationErrorType(result.status), result.status.message());
  store_durations_.Observe(took.count(), fanout, asked.scope.tenant);
  if (asked.explain) return ReplyExplanation(reply, result.annotations, *result.explanation);
  if (IsCut(result, asked.limit)) result.annotations.Warn("results truncated due to limit");
  ReplyData(reply, result.annotations, [&](JsonReply& json) {
    json::Writer& writer = json.writer();
    writer.BeginObject();
    WriteResult(json, result, asked.limit, &engine_.executor());
    if (asked.stats) {
      writer.Key("stats");
      WriteStats(writer, result);
    }
    if (asked.options.analyze) {
      writer.Key("analysis");
      WriteAnalysis(writer, result, fanout);
    }
    writer.EndObject();
  });
}

void QueryHandlers::Format(const net::HttpRequest& request, net::HttpReply& reply) {
  Parameters parameters(request);
  if (!parameters.ok()) return ReplyError(reply, ErrorType::kBadData, parameters.error().message());
  auto expr = promql::ParseExpr(parameters.Text("query"), engine_.parser_options());
  if (!expr.ok()) return ReplyBadParameter(reply, "query", expr.status());
  ReplyData(reply, {}, [&](JsonReply& json) { json.writer().String(promql::Prettify(**expr)); });
}

void QueryHandlers::Parse(const net::HttpRequest& request, net::HttpReply& reply) {
  Parameters parameters(request);
  if (!parameters.ok()) return ReplyError(reply, ErrorType::kBadData, parameters.error().message());
  auto expr = promql::ParseExpr(parameters.Text("query"), engine_.parser_options());
  if (!expr.ok()) return ReplyBadParameter(reply, "query", expr.status());
  ReplyData(reply, {}, [&](JsonReply& json) { promql::WriteJson(json.writer(), **expr); });
}

}  // namespace gauntlet::api
