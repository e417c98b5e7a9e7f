#include "api/control_handlers.h"

#include <limits>
#include <map>
#include <utility>

#include "api/control_json.h"
#include "api/envelope.h"
#include "api/result_json.h"
#include "model/time.h"
#include "promql/syntax/parser.h"

namespace gauntlet::api {
namespace {

wire::PartialResponse Strategy(Parameters& parameters, bool fallback) {
  return parameters.Bool("partial_response", fallback) ? wire::PartialResponse::kWarn : wire::PartialResponse::kAbort;
}

Annotations Warnings(const std::vector<std::string>& warnings) {
  Annotations annotations;
  for (const std::string& warning : warnings) annotations.Warn(warning);
  return annotations;
}

void ReplyGatherError(net::HttpReply& reply, const Status& status) {
  ErrorType type = status.code() == Code::kInvalid     ? ErrorType::kBadData
                   : status.code() == Code::kCancelled ? ErrorType::kCanceled
                   : status.code() == Code::kDeadline  ? ErrorType::kTimeout
                                                       : ErrorType::kInternal;
  ReplyError(reply, type, status.message());
}

}  // namespace

void ControlHandlers::Register(net::HttpRouter& router) {
  using Method = void (ControlHandlers::*)(const net::HttpRequest&, const Cancel&, net::HttpReply&);
  auto add = [&](const char* methods, const char* path, const char* name, Method method) {
    router.Add(methods, path, name,
               [this, method](const net::HttpRequest& request, const Cancel& cancel, net::HttpReply& reply) {
                 (this->*method)(request, cancel, reply);
               });
  };
  add("GET", "/api/v1/rules", "rules", &ControlHandlers::Rules);
  add("GET", "/api/v1/alerts", "alerts", &ControlHandlers::Alerts);
  add("GET", "/api/v1/targets", "targets", &ControlHandlers::Targets);
  add("GET", "/api/v1/metadata", "metadata", &ControlHandlers::Metadata);
  add("GET,POST", "/api/v1/query_exemplars", "exemplars", &ControlHandlers::Exemplars);
  add("GET", "/api/v1/status/tsdb", "status_tsdb", &ControlHandlers::Statistics);
  router.Add("GET", "/api/v1/stores", "stores",
             [this](const net::HttpRequest&, const Cancel&, net::HttpReply& reply) { Stores(reply); });
}

rpc::CallContext ControlHandlers::Context(const net::HttpRequest& request, const Cancel& cancel) const {
  rpc::CallContext context;
  context.cancel = cancel;
  context.tenant = request.tenant;
  context.request_id = request.headers.Get("X-Request-ID");
  if (auto trace = telemetry::SpanContext::FromTraceparent(request.headers.Get("traceparent"))) context.trace = *trace;
  return context;
}

void ControlHandlers::Rules(const net::HttpRequest& request, const Cancel& cancel, net::HttpReply& reply) {
  Parameters parameters(request);
  rpc::RulesRequest asked;
  std::string_view type = parameters.Text("type");
  if (type == "alert") {
    asked.type = rpc::RuleType::kAlert;
  } else if (type == "record") {
    asked.type = rpc::RuleType::kRecord;
  } else if (!type.empty()) {
    parameters.Refuse("type", Status(Code::kInvalid, "invalid rules parameter type='" + std::string(type) + "'"));
  }
  asked.partial_response = Strategy(parameters, partial_.rules);
  asked.matchers = parameters.List("match[]");
  asked.rule_names = parameters.List("rule_name[]");
  asked.rule_groups = parameters.List("rule_group[]");
  asked.files = parameters.List("file[]");
  if (!parameters.ok()) return ReplyError(reply, ErrorType::kBadData, parameters.error().message());
  CancelSource source(cancel, settings_.timeout);
  auto gathered = fanout_.GatherRules(asked, Context(request, source.cancel()));
  if (!gathered.ok()) return ReplyGatherError(reply, gathered.status());
  ReplyData(reply, Warnings(gathered->warnings), [&](JsonReply& json) {
    json.writer().BeginObject().Key("groups").BeginArray();
    for (const rpc::RuleGroup& group : gathered->value) {
      WriteRuleGroup(json.writer(), group);
      if (!json.Pass()) return;
    }
    json.writer().EndArray().EndObject();
  });
}

void ControlHandlers::Alerts(const net::HttpRequest& request, const Cancel& cancel, net::HttpReply& reply) {
  Parameters parameters(request);
  rpc::RulesRequest asked;
  asked.type = rpc::RuleType::kAlert;
  asked.partial_response = Strategy(parameters, partial_.rules);
  if (!parameters.ok()) return ReplyError(reply, ErrorType::kBadData, parameters.error().message());
  CancelSource source(cancel, settings_.timeout);
  auto gathered = fanout_.GatherRules(asked, Context(request, source.cancel()));
  if (!gathered.ok()) return ReplyGatherError(reply, gathered.status());
  ReplyData(reply, Warnings(gathered->warnings), [&](JsonReply& json) {
    json.writer().BeginObject().Key("alerts").BeginArray();
    for (const rpc::RuleGroup& group : gathered->value) {
      for (const rpc::Rule& rule : group.rules) {
        for (const rpc::AlertInstance& alert : rule.alerts) WriteAlert(json.writer(), alert);
      }
    }
    json.writer().EndArray().EndObject();
  });
}

void ControlHandlers::Targets(const net::HttpRequest& request, const Cancel& cancel, net::HttpReply& reply) {
  Parameters parameters(request);
  rpc::TargetsRequest asked;
  std::string_view state = parameters.Text("state");
  if (state == "active") {
    asked.state = rpc::TargetState::kActive;
  } else if (state == "dropped") {
    asked.state = rpc::TargetState::kDropped;
  } else if (!state.empty() && state != "any") {
    parameters.Refuse("state", Status(Code::kInvalid, "invalid targets parameter state='" + std::string(state) + "'"));
  }
  asked.partial_response = Strategy(parameters, partial_.targets);
  if (!parameters.ok()) return ReplyError(reply, ErrorType::kBadData, parameters.error().message());
  CancelSource source(cancel, settings_.timeout);
  auto gathered = fanout_.GatherTargets(asked, Context(request, source.cancel()));
  if (!gathered.ok()) return ReplyGatherError(reply, gathered.status());
  ReplyData(reply, Warnings(gathered->warnings),
            [&](JsonReply& json) { WriteTargets(json.writer(), gathered->value); });
}

void ControlHandlers::Metadata(const net::HttpRequest& request, const Cancel& cancel, net::HttpReply& reply) {
  Parameters parameters(request);
  rpc::MetadataRequest asked;
  asked.metric = parameters.Text("metric");
  if (parameters.Has("limit") && parameters.Text("limit") != "-1") {
    asked.limit =
        static_cast<int32_t>(std::min<int64_t>(parameters.Count("limit", 0), std::numeric_limits<int32_t>::max()));
  }
  asked.partial_response = Strategy(parameters, partial_.metadata);
  if (!parameters.ok()) return ReplyError(reply, ErrorType::kBadData, parameters.error().message());
  CancelSource source(cancel, settings_.timeout);
  auto gathered = fanout_.GatherMetadata(asked, Context(request, source.cancel()));
  if (!gathered.ok()) return ReplyGatherError(reply, gathered.status());
  ReplyData(reply, Warnings(gathered->warnings), [&](JsonReply& json) {
    json.writer().BeginObject();
    for (const auto& [metric, entries] : gathered->value) {
      json.writer().Key(metric).BeginArray();
      for (const rpc::MetricMeta& entry : entries) {
        json.writer().BeginObject().StringMember("type", entry.type).StringMember("help", entry.help);
        json.writer().StringMember("unit", entry.unit).EndObject();
      }
      json.writer().EndArray();
      if (!json.Pass()) return;
    }
    json.writer().EndObject();
  });
}

void ControlHandlers::Exemplars(const net::HttpRequest& request, const Cancel& cancel, net::HttpReply& reply) {
  Parameters parameters(request);
  rpc::ExemplarsRequest asked;
  asked.query = parameters.Text("query");
  asked.start_ms = parameters.Time("start", kMinTimeMs);
  asked.end_ms = parameters.Time("end", kMaxTimeMs);
  if (parameters.ok() && asked.end_ms < asked.start_ms) {
    parameters.Refuse("end", Status(Code::kInvalid, "end timestamp must not be before start time"));
  }
  asked.partial_response = Strategy(parameters, partial_.exemplars);
  if (!parameters.ok()) return ReplyError(reply, ErrorType::kBadData, parameters.error().message());
  auto expr = promql::ParseExpr(asked.query, fanout_.parser_options());
  if (!expr.ok()) return ReplyBadParameter(reply, "query", expr.status());
  CancelSource source(cancel, settings_.timeout);
  auto gathered = fanout_.GatherExemplars(asked, Context(request, source.cancel()));
  if (!gathered.ok()) return ReplyGatherError(reply, gathered.status());
  ReplyData(reply, Warnings(gathered->warnings), [&](JsonReply& json) {
    json.writer().BeginArray();
    for (const rpc::ExemplarData& data : gathered->value) {
      json.writer().BeginObject().Key("seriesLabels");
      WriteLabels(json.writer(), data.series_labels);
      json.writer().Key("exemplars").BeginArray();
      for (const rpc::Exemplar& exemplar : data.exemplars) {
        json.writer().BeginObject().Key("labels");
        WriteLabels(json.writer(), exemplar.labels);
        json.writer().Key("value").ApiFloat(exemplar.value).Key("timestamp").ApiTime(exemplar.time_ms).EndObject();
      }
      json.writer().EndArray().EndObject();
      if (!json.Pass()) return;
    }
    json.writer().EndArray();
  });
}

void ControlHandlers::Statistics(const net::HttpRequest& request, const Cancel& cancel, net::HttpReply& reply) {
  Parameters parameters(request);
  rpc::TsdbStatisticsRequest asked;
  int64_t limit = parameters.Count("limit", 10);
  if (limit < 1 || limit > 10'000)
    parameters.Refuse("limit", Status(Code::kInvalid, "limit must be between 1 and 10000"));
  asked.limit = static_cast<int32_t>(limit);
  std::vector<Matchers> selectors = parameters.Selectors("match[]");
  if (!selectors.empty()) asked.matchers = selectors[0];
  asked.partial_response = Strategy(parameters, partial_.status);
  if (!parameters.ok()) return ReplyError(reply, ErrorType::kBadData, parameters.error().message());
  CancelSource source(cancel, settings_.timeout);
  auto gathered = fanout_.GatherStatistics(asked, Context(request, source.cancel()));
  if (!gathered.ok()) return ReplyGatherError(reply, gathered.status());
  ReplyData(reply, Warnings(gathered->warnings),
            [&](JsonReply& json) { WriteStatistics(json.writer(), gathered->value); });
}

void ControlHandlers::Stores(net::HttpReply& reply) {
  ReplyData(reply, {}, [&](JsonReply& json) { WriteStores(json.writer(), endpoints_.Statuses()); });
}

}  // namespace gauntlet::api
