#include "sidecar/prometheus_api.h"

#include <charconv>
#include <cmath>

#include "config/yaml.h"
#include "model/float_text.h"
#include "model/time.h"
#include "net/http_client.h"

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
  return Labels::From(std::move(pairs));
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

Result<Labels> PrometheusApi::ExternalLabels(const Cancel& cancel) const {
  GN_ASSIGN(ApiAnswer answer, Get("status/config", {}, cancel));
  Result<config::NodePtr> root = config::ParseYaml(answer.data.Get("yaml").String().value_or(""));
  if (!root.ok()) return root.status().Wrap("configuration of Prometheus");
  const config::Node* global = (*root)->Find("global");
  const config::Node* external = global != nullptr ? global->Find("external_labels") : nullptr;
  std::vector<std::pair<std::string, std::string>> pairs;
  if (external != nullptr) {
    for (const auto& [name, value] : external->entries()) pairs.emplace_back(name->text(), value->text());
  }
  return Labels::From(std::move(pairs));
}

Result<int64_t> PrometheusApi::LowestTimeMs(const Cancel& cancel) const {
  constexpr std::string_view kName = "\nprometheus_tsdb_lowest_timestamp_seconds ";
  GN_ASSIGN(std::string text, Fetch("/metrics", cancel));
  text.insert(0, 1, '\n');
  size_t at = text.find(kName);
  if (at == std::string::npos) {
    return Status(Code::kNotFound,
                  "metric prometheus_tsdb_lowest_timestamp_seconds is missing at " + base_url_ + "/metrics");
  }
  at += kName.size();
  std::string_view number = std::string_view(text).substr(at, text.find('\n', at) - at);
  GN_ASSIGN(double seconds, ParseFloat(number));
  // An empty database says MaxInt64.
  if (seconds * 1000 >= 9.2e18 || std::isnan(seconds)) return kMinTimeMs;
  return static_cast<int64_t>(seconds * 1000);
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
