// Metadata: type, help and unit of metrics.
//
// Format:  proto/thanos/metadata.proto      Upstream: thanos pkg/metadata
// Threads: services are called from many threads at once; the rest are values.

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "rpc/context.h"
#include "rpc/method.h"
#include "rpc/stream.h"
#include "wire/store_request.h"

namespace gauntlet::rpc {

struct MetadataRequest {
  std::string metric;  // "" = all
  int32_t limit = -1;  // metrics at most; negative = all
  wire::PartialResponse partial_response = wire::PartialResponse::kWarn;
};

struct MetricMeta {
  std::string type, help, unit;
  bool operator==(const MetricMeta&) const = default;
};

// By metric; more than one when targets disagree.
using MetricMetadata = std::map<std::string, std::vector<MetricMeta>>;

class MetadataService {
 public:
  virtual ~MetadataService() = default;
  virtual net::GrpcStatus Metadata(const MetadataRequest& request, Sink<MetricMetadata>& out,
                                   const CallContext& context) = 0;
};

void RegisterMetadata(MetadataService& service, MethodMap* methods);
std::unique_ptr<MetadataService> MakeMetadataClient(net::GrpcChannel& channel);  // `channel` must outlive it

}  // namespace gauntlet::rpc
