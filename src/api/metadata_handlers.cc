#include "api/metadata_handlers.h"

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <utility>

#include "api/envelope.h"
#include "api/result_json.h"
#include "api/selectors.h"
#include "api/tenancy.h"
#include "base/clock.h"
#include "model/escaping.h"
#include "model/time.h"
#include "query/select.h"
#include "storage/merge.h"

namespace gauntlet::api {
namespace {

constexpr int64_t kLimitMax = std::numeric_limits<int64_t>::max() / 2;  // endpoints are asked for a few more
constexpr const char* kTruncated = "results truncated due to limit";

ErrorType SelectErrorType(const Status& status) {
  switch (status.code()) {
    case Code::kInvalid:
      return ErrorType::kBadData;
    case Code::kCancelled:
      return ErrorType::kCanceled;
    case Code::kDeadline:
      return ErrorType::kTimeout;
    default:
      return ErrorType::kExecution;
  }
}

}  // namespace

void MetadataHandlers::Register(net::HttpRouter& router) {
  router.Add("GET,POST", "/api/v1/labels", "label_names",
             [this](const auto& request, const Cancel& cancel, auto& reply) { Names(request, cancel, reply); });
  router.Add("GET", "/api/v1/label/:name/values", "label_values",
             [this](const auto& request, const Cancel& cancel, auto& reply) { Values(request, cancel, reply); });
  router.Add("GET,POST", "/api/v1/series", "series",
             [this](const auto& request, const Cancel& cancel, auto& reply) { Series(request, cancel, reply); });
}

bool MetadataHandlers::Read(const net::HttpRequest& request, net::HttpReply& reply, Asked* asked) const {
  Parameters parameters(request);
  bool bounded = settings_.metadata_range_ms > 0;
  int64_t now_ms = SystemClock().NowMs();
  asked->start_ms = parameters.Time("start", bounded ? now_ms - settings_.metadata_range_ms : kMinTimeMs);
  asked->end_ms = parameters.Time("end", bounded ? now_ms : kMaxTimeMs);
  if (parameters.ok() && asked->end_ms < asked->start_ms) {
    parameters.Refuse("end", Status(Code::kInvalid, "end timestamp must not be before start time"));
  }
  asked->limit = std::min(parameters.Count("limit", 0), kLimitMax);
  asked->selectors = parameters.Selectors("match[]");
  asked->scope = ParseScope(settings_, request, parameters);
  asked->scope.skip_chunks = true;
  asked->scope.max_resolution_ms = kMaxTimeMs;
  if (!parameters.ok()) {
    ReplyError(reply, ErrorType::kBadData, parameters.error().message());
    return false;
  }
  for (const Matchers& matchers : asked->selectors) {
    if (!std::all_of(matchers.begin(), matchers.end(), [](const Matcher& m) { return m.MatchesEmpty(); })) continue;
    ReplyBadParameter(reply, "match[]", Status(Code::kInvalid, "match[] must contain at least one non-empty matcher"));
    return false;
  }
  if (settings_.enforce_tenancy) {
    if (asked->selectors.empty()) asked->selectors.emplace_back();
    for (Matchers& matchers : asked->selectors) {
      Status st = EnforceTenant(&matchers, settings_.tenant_label, request.tenant);
      if (!st.ok()) {
        ReplyError(reply, ErrorType::kBadData, st.message());
        return false;
      }
    }
  }
  Result<std::vector<Matchers>> joined = JoinSelectors(std::move(asked->selectors));
  if (!joined.ok()) {
    ReplyError(reply, ErrorType::kBadData, joined.status().message());
    return false;
  }
  asked->selectors = *std::move(joined);
  return true;
}

void MetadataHandlers::Names(const net::HttpRequest& request, const Cancel& cancel, net::HttpReply& reply) {
  Asked asked;
  if (Read(request, reply, &asked)) Collect(asked, "", cancel, reply);
}

void MetadataHandlers::Values(const net::HttpRequest& request, const Cancel& cancel, net::HttpReply& reply) {
  std::string name = UnescapeName(request.PathValue("name"));
  if (!IsValidUtf8(name) || name.empty()) {
    return ReplyError(reply, ErrorType::kBadData, "invalid label name: " + GoQuote(name));
  }
  Asked asked;
  if (Read(request, reply, &asked)) Collect(asked, name, cancel, reply);
}

void MetadataHandlers::Collect(const Asked& asked, const std::string& label, const Cancel& cancel,
                               net::HttpReply& reply) {
  CancelSource source(cancel, settings_.timeout);
  std::unique_ptr<storage::Queryable> storage = source_(asked.scope, nullptr);
  auto querier = storage->MakeQuerier(asked.start_ms, asked.end_ms);
  if (!querier.ok()) return ReplyError(reply, SelectErrorType(querier.status()), querier.status().message());
  std::vector<Matchers> selectors = asked.selectors;
  if (selectors.empty()) selectors.emplace_back();
  std::vector<std::string> all;
  Annotations annotations;
  for (const Matchers& matchers : selectors) {
    auto strings = label.empty() ? (*querier)->LabelNames(matchers, asked.limit, source.cancel())
                                 : (*querier)->LabelValues(label, matchers, asked.limit, source.cancel());
    if (!strings.ok()) return ReplyError(reply, SelectErrorType(strings.status()), strings.status().message());
    annotations.Merge(strings->annotations);
    all.insert(all.end(), std::make_move_iterator(strings->values.begin()),
               std::make_move_iterator(strings->values.end()));
  }
  if (selectors.size() > 1) {
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
  }
  if (asked.limit > 0 && all.size() > static_cast<size_t>(asked.limit)) {
    all.resize(asked.limit);
    annotations.Warn(kTruncated);
  }
  ReplyData(reply, annotations, [&](JsonReply& json) {
    json.writer().BeginArray();
    for (const std::string& value : all) {
      json.writer().String(value);
      if (!json.Pass()) return;
    }
    json.writer().EndArray();
  });
}

void MetadataHandlers::Series(const net::HttpRequest& request, const Cancel& cancel, net::HttpReply& reply) {
  Asked asked;
  if (!Read(request, reply, &asked)) return;
  if (asked.selectors.empty()) return ReplyError(reply, ErrorType::kBadData, "no match[] parameter provided");
  CancelSource source(cancel, settings_.timeout);
  std::unique_ptr<storage::Queryable> storage = source_(asked.scope, nullptr);
  auto querier = storage->MakeQuerier(asked.start_ms, asked.end_ms);
  if (!querier.ok()) return ReplyError(reply, SelectErrorType(querier.status()), querier.status().message());
  storage::SelectHints hints;
  hints.start_ms = asked.start_ms;
  hints.end_ms = asked.end_ms;
  hints.func = "series";
  if (asked.limit > 0) hints.limit = asked.limit + 1;  // one more tells that there are more
  std::vector<Labels> found;
  Annotations annotations;
  for (const Matchers& matchers : asked.selectors) {
    auto set = (*querier)->Select(hints, matchers, source.cancel(), nullptr);
    while (true) {
      auto series = set->Next();
      if (!series.ok()) return ReplyError(reply, SelectErrorType(series.status()), series.status().message());
      if (*series == nullptr) break;
      found.emplace_back((*series)->labels());
    }
    annotations.Merge(set->annotations());
  }
  if (asked.selectors.size() > 1) {
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
  }
  if (asked.limit > 0 && found.size() > static_cast<size_t>(asked.limit)) {
    found.resize(asked.limit);
    annotations.Warn(kTruncated);
  }
  ReplyData(reply, annotations, [&](JsonReply& json) {
    json.writer().BeginArray();
    for (const Labels& labels : found) {
      WriteLabels(json.writer(), labels);
      if (!json.Pass()) return;
    }
    json.writer().EndArray();
  });
}

}  // namespace gauntlet::api
