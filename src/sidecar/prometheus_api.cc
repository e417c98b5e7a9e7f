#include "sidecar/prometheus_api.h"

#include <charconv>
#include <cmath>
#include <initializer_list>

#include "config/yaml.h"
#include "model/float_text.h"
#include "model/time.h"
#include "net/http/client.h"
#include "net/text.h"

namespace gauntlet::sidecar {
namespace {

constexpr size_t kAnswerBytesMax = size_t{2} << 30;
constexpr size_t kBodyInErrors = 512;

// Prometheus parses seconds as a float and refuses what is beyond its own bounds; beyond these nobody has data.
constexpr int64_t kFarPastMs = -62135596800000, kFarFutureMs = 253402300799999;

Status AnswerStatus(const net::HttpAnswer& answer) {
  Code code = Code::kUnavailable;
  if (answer.status == 404 || answer.status == 405) code = Code::kNotFound;
  if (answer.status == 400 || answer.status == 422) code = Code::kInvalid;
  return Status(code, "expected 2xx response, got " + std::to_string(answer.status) +
                          ". Body: " + answer.body.substr(0, kBodyInErrors));
}

std::string Seconds(int64_t ms) { return FormatFloatF(static_cast<double>(ms) / 1000); }

Result<std::vector<std::string>> StringArray(json::Value array) {
  if (!array.is_array() && !array.is_null() && array.exists()) return Status(Code::kCorrupt, "answer is not an array");
  std::vector<std::string> strings;
  strings.reserve(array.size());
  for (size_t i = 0; i < array.size(); ++i) {
    auto text = array[i].String();
    if (!text) return Status(Code::kCorrupt, "answer is not an array of strings");
    strings.emplace_back(*text);
  }
  return strings;
}

net::FormValues SelectParameters(const Matchers& matchers, int64_t start_ms, int64_t end_ms, int64_t limit) {
  net::FormValues parameters;
  if (!matchers.empty()) parameters.Add("match[]", MatchersToString(matchers));
  AddTimeRange(start_ms, end_ms, &parameters);
  if (limit > 0) parameters.Add("limit", std::to_string(limit));
  return parameters;
}

}  // namespace

void AddTimeRange(int64_t start_ms, int64_t end_ms, net::FormValues* parameters) {
  if (start_ms > kFarPastMs) parameters->Add("start", Seconds(start_ms));
  if (end_ms < kFarFutureMs) parameters->Add("end", Seconds(end_ms));
}

Labels LabelsFromJson(json::Value object) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (size_t i = 0; i < object.size(); ++i) {
    if (auto value = object[i].String()) pairs.emplace_back(object.key(i), *value);
  }
  return Labels::From(pairs);
}

PrometheusApi::PrometheusApi(std::string base_url, net::HttpClient& client)
    : base_url_(std::move(base_url)), client_(client) {}

Result<std::string> PrometheusApi::Fetch(std::string_view path, const Cancel& cancel) const {
  net::HttpCall call;
  call.url = base_url_ + std::string(path);
  Result<net::HttpAnswer> answer = client_.Do(call, cancel, kAnswerBytesMax);
  if (!answer.ok()) return answer.status().Wrap("request to Prometheus " + call.url);
  if (answer->status / 100 != 2) return AnswerStatus(*answer).Wrap("request to Prometheus " + call.url);
  return std::move(answer->body);
}

Result<ApiAnswer> PrometheusApi::Ask(std::string_view method, std::string_view path, const net::FormValues& parameters,
                                     const Cancel& cancel) const {
  net::HttpCall call;
  call.method = method;
  call.url = base_url_ + "/api/v1/" + std::string(path);
  std::string encoded = parameters.Encode();
  if (method == "POST") {
    call.headers.Set("Content-Type", "application/x-www-form-urlencoded");
    call.body = std::move(encoded);
  } else if (!encoded.empty()) {
    call.url += "?" + encoded;
  }
  Result<net::HttpAnswer> answer = client_.Do(call, cancel, kAnswerBytesMax);
  if (!answer.ok()) return answer.status().Wrap("request to Prometheus " + base_url_ + "/api/v1/" + std::string(path));
  if (answer->status / 100 != 2) return AnswerStatus(*answer);
  auto document = json::Document::Parse(answer->body);
  if (!document.ok()) return document.status().Wrap("answer of Prometheus to " + std::string(path));
  json::Value root = document->root();
  if (root.Get("status").String() != "success") return AnswerStatus(*answer);
  ApiAnswer result{*std::move(document), json::Value(), {}};
  root = result.document.root();
  result.data = root.Get("data");
  json::Value warnings = root.Get("warnings");
  for (size_t i = 0; i < warnings.size(); ++i) {
    if (auto text = warnings[i].String()) result.warnings.emplace_back(*text);
  }
  return result;
}

Result<ApiAnswer> PrometheusApi::Get(std::string_view path, const net::FormValues& parameters,
                                     const Cancel& cancel) const {
  return Ask("GET", path, parameters, cancel);
}

Result<ApiAnswer> PrometheusApi::Post(std::string_view path, const net::FormValues& parameters,
                                      const Cancel& cancel) const {
  return Ask("POST", path, parameters, cancel);
}

Result<PrometheusVersion> PrometheusApi::Version(const Cancel& cancel) const {
  Result<ApiAnswer> answer = Get("status/buildinfo", {}, cancel);
  PrometheusVersion version;
  if (answer.status().code() == Code::kNotFound) return version;
  if (!answer.ok()) return answer.status();
  std::string_view text = answer->data.Get("version").String().value_or("0");
  version.text = text;
  const char* end = text.data() + text.size();
  auto major = std::from_chars(text.data(), end, version.major);
  if (major.ec == std::errc() && major.ptr != end && *major.ptr == '.')
    std::from_chars(major.ptr + 1, end, version.minor);
  return version;
}

Result<PrometheusConfig> PrometheusApi::Config(const Cancel& cancel) const {
  GN_ASSIGN(ApiAnswer answer, Get("status/config", {}, cancel));
  Result<config::NodePtr> root = config::ParseYaml(answer.data.Get("yaml").String().value_or(""));
  if (!root.ok()) return root.status().Wrap("configuration of Prometheus");
  auto find = [&](std::initializer_list<const char*> path) {
    const config::Node* node = root->get();
    for (const char* name : path) node = node != nullptr ? node->Find(name) : nullptr;
    return node;
  };
  PrometheusConfig config;
  std::vector<std::pair<std::string, std::string>> pairs;
  if (const config::Node* external = find({"global", "external_labels"})) {
    for (const auto& [name, value] : external->entries()) pairs.emplace_back(name->text(), value->text());
  }
  config.external_labels = Labels::From(pairs);
  if (const config::Node* window = find({"storage", "tsdb", "out_of_order_time_window"})) {
    Result<int64_t> parsed = ParsePromDuration(window->text());
    if (!parsed.ok()) return parsed.status().Wrap("out_of_order_time_window of Prometheus");
    config.out_of_order_window_ms = *parsed;
  }
  return config;
}

Result<DatabaseFacts> PrometheusApi::Database(const Cancel& cancel) const {
  GN_ASSIGN(std::string text, Fetch("/metrics", cancel));
  text.insert(0, 1, '\n');
  auto value = [&](std::string_view name) -> std::optional<double> {
    std::string line = '\n' + std::string(name) + ' ';
    size_t at = text.find(line);
    if (at == std::string::npos) return std::nullopt;
    at += line.size();
    Result<double> number = ParseFloat(std::string_view(text).substr(at, text.find('\n', at) - at));
    return number.ok() && !std::isnan(*number) ? std::optional<double>(*number) : std::nullopt;
  };
  // An empty head says MaxInt64 and MinInt64, an empty database MaxInt64.
  auto time = [&](std::string_view name) -> std::optional<int64_t> {
    std::optional<double> ms = value(name);
    return ms && std::abs(*ms) < 9.2e18 ? std::optional<int64_t>(static_cast<int64_t>(*ms)) : std::nullopt;
  };
  DatabaseFacts facts;
  std::optional<double> lowest = value("prometheus_tsdb_lowest_timestamp_seconds");
  if (!lowest) {
    return Status(Code::kNotFound,
                  "metric prometheus_tsdb_lowest_timestamp_seconds is missing at " + base_url_ + "/metrics");
  }
  if (*lowest * 1000 < 9.2e18) facts.lowest_ms = static_cast<int64_t>(std::llround(*lowest * 1000));
  facts.head_min_ms = time("prometheus_tsdb_head_min_time");
  facts.head_max_ms = time("prometheus_tsdb_head_max_time");
  facts.blocks = time("prometheus_tsdb_blocks_loaded");
  return facts;
}

Result<std::vector<std::string>> PrometheusApi::LabelNames(const Matchers& matchers, int64_t start_ms, int64_t end_ms,
                                                           int64_t limit, const Cancel& cancel) const {
  GN_ASSIGN(ApiAnswer answer, Post("labels", SelectParameters(matchers, start_ms, end_ms, limit), cancel));
  return StringArray(answer.data);
}

Result<std::vector<std::string>> PrometheusApi::LabelValues(const std::string& name, const Matchers& matchers,
                                                            int64_t start_ms, int64_t end_ms, int64_t limit,
                                                            const Cancel& cancel) const {
  std::string path = "label/" + net::PercentEncode(name) + "/values";
  GN_ASSIGN(ApiAnswer answer, Get(path, SelectParameters(matchers, start_ms, end_ms, limit), cancel));
  return StringArray(answer.data);
}

Result<std::vector<Labels>> PrometheusApi::Series(const Matchers& matchers, int64_t start_ms, int64_t end_ms,
                                                  int64_t limit, const Cancel& cancel) const {
  GN_ASSIGN(ApiAnswer answer, Post("series", SelectParameters(matchers, start_ms, end_ms, limit), cancel));
  std::vector<Labels> series;
  series.reserve(answer.data.size());
  for (size_t i = 0; i < answer.data.size(); ++i) series.push_back(LabelsFromJson(answer.data[i]));
  return series;
}

}  // namespace gauntlet::sidecar
