#include "api/parameters.h"

#include <charconv>

#include "model/time.h"
#include "promql/syntax/parser.h"

namespace gauntlet::api {

Parameters::Parameters(const net::HttpRequest& request) {
  Result<net::FormValues> form = request.Form();
  if (form.ok()) {
    form_ = *std::move(form);
  } else {
    error_ = form.status().Wrap("error parsing form values");
  }
}

void Parameters::Refuse(std::string_view name, const Status& cause) {
  if (!error_.ok()) return;
  error_ = Status(Code::kInvalid, "invalid parameter \"" + std::string(name) + "\": " + std::string(cause.message()));
}

std::vector<std::string> Parameters::List(std::string_view name) const {
  std::vector<std::string> values;
  for (std::string_view value : form_.All(name)) values.emplace_back(value);
  return values;
}

int64_t Parameters::Time(std::string_view name, int64_t fallback_ms) {
  if (!Has(name)) return fallback_ms;
  Result<int64_t> time = ParseApiTime(Text(name));
  if (time.ok()) return *time;
  Refuse(name, time.status());
  return fallback_ms;
}

int64_t Parameters::Duration(std::string_view name, int64_t fallback_ms) {
  if (!Has(name)) return fallback_ms;
  Result<int64_t> duration = ParseApiDuration(Text(name));
  if (duration.ok()) return *duration;
  Refuse(name, duration.status());
  return fallback_ms;
}

bool Parameters::Bool(std::string_view name, bool fallback) {
  std::string_view text = Text(name);
  if (text.empty()) return fallback;
  for (std::string_view yes : {"1", "t", "T", "TRUE", "true", "True"}) {
    if (text == yes) return true;
  }
  for (std::string_view no : {"0", "f", "F", "FALSE", "false", "False"}) {
    if (text == no) return false;
  }
  Refuse(name, Status(Code::kInvalid, "'" + std::string(name) + "' parameter: strconv.ParseBool: parsing " +
                                          GoQuote(text) + ": invalid syntax"));
  return fallback;
}

int64_t Parameters::Count(std::string_view name, int64_t fallback) {
  std::string_view text = Text(name);
  if (text.empty()) return fallback;
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    Refuse(name, Status(Code::kInvalid, "strconv.Atoi: parsing " + GoQuote(text) + ": invalid syntax"));
    return fallback;
  }
  if (value < 0) {
    Refuse(name, Status(Code::kInvalid, std::string(name) + " must be non-negative"));
    return fallback;
  }
  return value;
}

std::vector<Matchers> Parameters::Selectors(std::string_view name) {
  std::vector<Matchers> selectors;
  for (std::string_view text : form_.All(name)) {
    Result<Matchers> matchers = promql::ParseMetricSelector(text);
    if (!matchers.ok()) {
      Refuse(name, matchers.status());
      return {};
    }
    selectors.push_back(*std::move(matchers));
  }
  return selectors;
}

}  // namespace gauntlet::api
