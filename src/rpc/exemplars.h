// Exemplars: those of the series that an expression selects.
//
// Format:  proto/thanos/exemplars.proto      Upstream: thanos pkg/exemplars
// Threads: services are called from many threads at once; the rest are values.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "model/labels.h"
#include "rpc/context.h"
#include "rpc/method.h"
#include "rpc/stream.h"
#include "wire/store_request.h"

namespace gauntlet::rpc {

struct ExemplarsRequest {
  std::string query;
  int64_t start_ms = 0, end_ms = 0;
  wire::PartialResponse partial_response = wire::PartialResponse::kWarn;
};

struct Exemplar {
  Labels labels;
  double value = 0;
  int64_t time_ms = 0;
};

struct ExemplarData {
  Labels series_labels;
  std::vector<Exemplar> exemplars;
};

class ExemplarsService {
 public:
  virtual ~ExemplarsService() = default;
  virtual net::GrpcStatus Exemplars(const ExemplarsRequest& request, Sink<ExemplarData>& out,
                                    const CallContext& context) = 0;
};

void RegisterExemplars(ExemplarsService& service, MethodMap* methods);
std::unique_ptr<ExemplarsService> MakeExemplarsClient(net::GrpcChannel& channel);  // `channel` must outlive it

}  // namespace gauntlet::rpc
