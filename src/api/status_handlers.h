// Handlers of /api/v1/status/{flags,buildinfo,runtimeinfo,config} and of the plain page at "/".
//
// Upstream: thanos pkg/api/api.go
// Threads:  thread-safe.

#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "net/http/router.h"
#include "query/endpoint_set.h"

namespace gauntlet::api {

struct StatusFacts {
  std::string component;
  std::string version, revision, build_date;
  std::map<std::string, std::string> flags;  // secrets hidden
  int64_t start_time_ms = 0;
};

class StatusHandlers {
 public:
  // `endpoints` may be null (the page then has none); it gives the current ones. `prefix` as the router's.
  StatusHandlers(StatusFacts facts, std::function<std::vector<query::EndpointStatus>()> endpoints)
      : facts_(std::move(facts)), endpoints_(std::move(endpoints)) {}
  void Register(net::HttpRouter& router);

 private:
  void Flags(net::HttpReply& reply) const;
  void BuildInfo(net::HttpReply& reply) const;
  void RuntimeInfo(net::HttpReply& reply) const;
  void Page(net::HttpReply& reply) const;

  const StatusFacts facts_;
  const std::function<std::vector<query::EndpointStatus>()> endpoints_;
};

}  // namespace gauntlet::api
