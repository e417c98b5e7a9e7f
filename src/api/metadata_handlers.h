// Handlers of /api/v1/labels, label/<name>/values and series.
//
// Upstream: thanos pkg/api/query/v1.go
// Threads:  thread-safe.

#pragma once

#include "api/query_settings.h"
#include "net/http/router.h"
#include "query/data_source.h"

namespace gauntlet::api {

class MetadataHandlers {
 public:
  // The settings are borrowed for the handlers' life.
  MetadataHandlers(const QuerySettings& settings, query::DataSource source)
      : settings_(settings), source_(std::move(source)) {}
  void Register(net::HttpRouter& router);

 private:
  struct Asked {
    int64_t start_ms = 0, end_ms = 0, limit = 0;
    std::vector<Matchers> selectors;
    query::SelectScope scope;
  };

  // False when the request is wrong, and answered.
  bool Read(const net::HttpRequest& request, net::HttpReply& reply, Asked* asked) const;
  void Names(const net::HttpRequest& request, const Cancel& cancel, net::HttpReply& reply);
  void Values(const net::HttpRequest& request, const Cancel& cancel, net::HttpReply& reply);
  void Series(const net::HttpRequest& request, const Cancel& cancel, net::HttpReply& reply);
  // `label` empty: names.
  void Collect(const Asked& asked, const std::string& label, const Cancel& cancel, net::HttpReply& reply);

  const QuerySettings& settings_;
  const query::DataSource source_;
};

}  // namespace gauntlet::api
