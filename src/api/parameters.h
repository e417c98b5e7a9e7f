// Parameters of API requests: times, durations, matchers, flags, with the errors that name them.
//
// Upstream: prometheus web/api/v1/api.go, thanos pkg/api/query/v1.go
// Threads:  values.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "model/matcher.h"
#include "net/http/message.h"

namespace gauntlet::api {

// A request's form, and the first thing that was wrong with it.
class Parameters {
 public:
  explicit Parameters(const net::HttpRequest& request);

  bool ok() const { return error_.ok(); }
  // `invalid parameter "NAME": CAUSE`, or "error parsing form values: CAUSE".
  const Status& error() const { return error_; }

  std::string_view Text(std::string_view name) const { return form_.Get(name); }
  bool Has(std::string_view name) const { return !form_.Get(name).empty(); }
  std::vector<std::string> List(std::string_view name) const;

  // Each takes `fallback` when the parameter is empty or absent, and when it is malformed (then ok() is false).
  int64_t Time(std::string_view name, int64_t fallback_ms);
  int64_t Duration(std::string_view name, int64_t fallback_ms);
  bool Bool(std::string_view name, bool fallback);
  int64_t Count(std::string_view name, int64_t fallback);  // >= 0
  // match[]: one list per value.
  std::vector<Matchers> Selectors(std::string_view name);

  void Refuse(std::string_view name, const Status& cause);

 private:
  net::FormValues form_;
  Status error_;
};

}  // namespace gauntlet::api
