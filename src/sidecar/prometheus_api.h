// PrometheusApi: what the sidecar asks of its Prometheus over the HTTP API.
//
// Upstream: thanos pkg/promclient/promclient.go
// Threads:  thread-safe; calls block.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/cancel.h"
#include "base/status.h"
#include "json/reader.h"
#include "model/labels.h"
#include "model/matcher.h"
#include "model/time.h"
#include "net/http/message.h"

namespace gauntlet::net {
class HttpClient;
}

namespace gauntlet::sidecar {

struct PrometheusVersion {
  int major = 0, minor = 0;
  std::string text = "0";  // "0" for servers without the buildinfo endpoint (before 2.14)
  bool AtLeast(int want_major, int want_minor) const {
    return major > want_major || (major == want_major && minor >= want_minor);
  }
};

struct PrometheusConfig {
  Labels external_labels;
  int64_t out_of_order_window_ms = 0;  // how late samples are taken
};

// Of prometheus_tsdb_*. What is not known, or of an empty head, is absent.
struct DatabaseFacts {
  int64_t lowest_ms = kMinTimeMs;  // kMinTimeMs while there is no data
  std::optional<int64_t> head_min_ms, head_max_ms;
  std::optional<int64_t> blocks;  // loaded
};

// The `data` of an answer; dies with the document.
struct ApiAnswer {
  json::Document document;
  json::Value data;
  std::vector<std::string> warnings;
};

class PrometheusApi {
 public:
  // `client` is borrowed. `base_url` without a trailing slash: "http://localhost:9090".
  PrometheusApi(std::string base_url, net::HttpClient& client);

  const std::string& base_url() const { return base_url_; }
  net::HttpClient& client() const { return client_; }

  Result<PrometheusVersion> Version(const Cancel& cancel) const;
  // The configuration in force.
  Result<PrometheusConfig> Config(const Cancel& cancel) const;
  // What its metrics say of its database; an error when they do not even say the lowest time.
  Result<DatabaseFacts> Database(const Cancel& cancel) const;

  // GET of /api/v1/<path>. kInvalid for bad_data, kNotFound for 404 and 405, kUnavailable for whatever else is not
  // success: "expected 2xx response, got 503. Body: ...".
  Result<ApiAnswer> Get(std::string_view path, const net::FormValues& parameters, const Cancel& cancel) const;
  // The same by POST, for parameters of any length; endpoints that list it only.
  Result<ApiAnswer> Post(std::string_view path, const net::FormValues& parameters, const Cancel& cancel) const;

  // Sorted label names, values, and label sets (sorted as Prometheus sorts). Times inclusive, limit 0 = all.
  Result<std::vector<std::string>> LabelNames(const Matchers& matchers, int64_t start_ms, int64_t end_ms, int64_t limit,
                                              const Cancel& cancel) const;
  Result<std::vector<std::string>> LabelValues(const std::string& name, const Matchers& matchers, int64_t start_ms,
                                               int64_t end_ms, int64_t limit, const Cancel& cancel) const;
  Result<std::vector<Labels>> Series(const Matchers& matchers, int64_t start_ms, int64_t end_ms, int64_t limit,
                                     const Cancel& cancel) const;

 private:
  Result<ApiAnswer> Ask(std::string_view method, std::string_view path, const net::FormValues& parameters,
                        const Cancel& cancel) const;
  Result<std::string> Fetch(std::string_view path, const Cancel& cancel) const;

  const std::string base_url_;
  net::HttpClient& client_;
};

// The parameters of a time range, left out where it is unbounded: Prometheus' own bounds are narrower than int64.
void AddTimeRange(int64_t start_ms, int64_t end_ms, net::FormValues* parameters);
// Labels of a JSON object of strings.
Labels LabelsFromJson(json::Value object);

}  // namespace gauntlet::sidecar
