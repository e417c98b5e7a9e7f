// Handlers of /api/v1/rules, alerts, targets, metadata, query_exemplars, status/tsdb and stores.
//
// Upstream: thanos pkg/api/query/v1.go
// Threads:  thread-safe.

#pragma once

#include "api/query_settings.h"
#include "net/http/router.h"
#include "query/control_fanout.h"
#include "query/endpoint_set.h"

namespace gauntlet::api {

// Whether an endpoint's failure is a warning where the request does not say.
struct ControlSettings {
  bool rules = true, targets = true, metadata = true, exemplars = true, status = true;
};

class ControlHandlers {
 public:
  // All borrowed for the handlers' life.
  ControlHandlers(const QuerySettings& settings, ControlSettings partial, query::ControlFanout& fanout,
                  const query::EndpointSet& endpoints)
      : settings_(settings), partial_(partial), fanout_(fanout), endpoints_(endpoints) {}
  void Register(net::HttpRouter& router);

 private:
  void Rules(const net::HttpRequest& request, const Cancel& cancel, net::HttpReply& reply);
  void Alerts(const net::HttpRequest& request, const Cancel& cancel, net::HttpReply& reply);
  void Targets(const net::HttpRequest& request, const Cancel& cancel, net::HttpReply& reply);
  void Metadata(const net::HttpRequest& request, const Cancel& cancel, net::HttpReply& reply);
  void Exemplars(const net::HttpRequest& request, const Cancel& cancel, net::HttpReply& reply);
  void Statistics(const net::HttpRequest& request, const Cancel& cancel, net::HttpReply& reply);
  void Stores(net::HttpReply& reply);

  rpc::CallContext Context(const net::HttpRequest& request, const Cancel& cancel) const;

  const QuerySettings& settings_;
  const ControlSettings partial_;
  query::ControlFanout& fanout_;
  const query::EndpointSet& endpoints_;
};

}  // namespace gauntlet::api
