// QuerierInfo: what a querier says it is to another querier: all that its endpoints have, under its own labels.
//
// Upstream: thanos cmd/thanos/query.go, pkg/store/proxy.go (LabelSet, TimeRange)
// Threads:  thread-safe.

#pragma once

#include "query/endpoint_set.h"
#include "rpc/info.h"

namespace gauntlet::query {

class QuerierInfo : public rpc::InfoService {
 public:
  // `endpoints` is borrowed.
  QuerierInfo(const EndpointSet& endpoints, Labels selector_labels)
      : endpoints_(endpoints), selector_labels_(std::move(selector_labels)) {}
  net::GrpcStatus GetInfo(rpc::Info* info, const rpc::CallContext& context) override;

 private:
  const EndpointSet& endpoints_;
  const Labels selector_labels_;
};

}  // namespace gauntlet::query
