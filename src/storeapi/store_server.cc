#include "storeapi/store_server.h"

#include <utility>

#include "storeapi/stream_adapters.h"

namespace gauntlet::storeapi {

net::GrpcStatus StoreServer::Failed(const Status& status, bool aborts) const {
  if (options_.failures_abort && aborts && status.code() != Code::kInvalid && status.code() != Code::kCancelled) {
    return net::GrpcStatus(net::GrpcCode::kAborted, std::string(status.message()));
  }
  // Unimplemented would say that there is no such method.
  if (status.code() == Code::kUnsupported)
    return net::GrpcStatus(net::GrpcCode::kUnknown, std::string(status.message()));
  return status;
}

net::GrpcStatus StoreServer::Series(const wire::SeriesRequest& request, rpc::SeriesWriter& out,
                                    const CallContext& context) {
  std::unique_ptr<SeriesStream> stream =
      EnforceLimits(store_.Series(request, context), options_.request_series_max, options_.request_samples_max);
  while (true) {
    Result<SeriesBatchPtr> batch = stream->Next();
    for (const std::string& warning : stream->TakeWarnings()) {
      if (Status sent = out.Warning(warning); !sent.ok()) return sent;
    }
    if (!batch.ok()) return Failed(batch.status(), request.aborts());
    if (*batch == nullptr) return {};
    for (size_t i = 0; i < (*batch)->size(); ++i) {
      if (Status sent = out.Series((*batch)->labels(i), (*batch)->chunks(i)); !sent.ok()) return sent;
    }
  }
}

net::GrpcStatus StoreServer::LabelNames(const wire::LabelNamesRequest& request, wire::LabelsResponse* response,
                                        const CallContext& context) {
  LabelsRequest asked;
  static_cast<wire::LabelNamesRequest&>(asked) = request;
  Result<LabelsAnswer> answer = store_.LabelNames(asked, context);
  if (!answer.ok()) return Failed(answer.status(), request.aborts());
  response->values = std::move(answer->values);
  response->warnings = std::move(answer->warnings);
  response->hints = std::move(answer->hints);
  return {};
}

net::GrpcStatus StoreServer::LabelValues(const wire::LabelValuesRequest& request, wire::LabelsResponse* response,
                                         const CallContext& context) {
  if (request.label.empty() && options_.refuse_empty_label)
    return net::GrpcStatus(net::GrpcCode::kInvalidArgument, "label name parameter cannot be empty");
  Result<LabelsAnswer> answer = store_.LabelValues(request, context);
  if (!answer.ok()) return Failed(answer.status(), request.aborts());
  response->values = std::move(answer->values);
  response->warnings = std::move(answer->warnings);
  response->hints = std::move(answer->hints);
  return {};
}

}  // namespace gauntlet::storeapi
