#include "rpc/metadata.h"

#include "proto/thanos/metadata.pb.h"
#include "rpc/glue.h"
#include "rpc/item_stream.h"

namespace gauntlet::rpc {
namespace {

using net::GrpcStatus;

constexpr const char* kMetricMetadata = "/thanos.Metadata/MetricMetadata";

struct MetadataCodec {
  using Item = MetricMetadata;
  using Message = thanos::MetricMetadataResponse;

  static bool Has(const Message& message) { return message.has_metadata(); }
  static Result<MetricMetadata> To(const Message& message) {
    MetricMetadata out;
    for (const auto& [metric, entry] : message.metadata().metadata())
      for (const auto& meta : entry.metas()) out[metric].push_back({meta.type(), meta.help(), meta.unit()});
    return out;
  }
  static void From(const MetricMetadata& metadata, Message* message) {
    auto& out = *message->mutable_metadata()->mutable_metadata();
    for (const auto& [metric, metas] : metadata)
      for (const MetricMeta& meta : metas) {
        thanos::Meta* m = out[metric].add_metas();
        m->set_type(meta.type);
        m->set_help(meta.help);
        m->set_unit(meta.unit);
      }
  }
};

class MetadataClient : public MetadataService {
 public:
  explicit MetadataClient(net::GrpcChannel& channel) : channel_(channel) {}
  GrpcStatus Metadata(const MetadataRequest& request, Sink<MetricMetadata>& out, const CallContext& context) override {
    thanos::MetricMetadataRequest message;
    message.set_metric(request.metric);
    message.set_limit(request.limit);
    message.set_partial_response_strategy(FromPartialResponse(request.partial_response));
    return CallItems<MetadataCodec>(channel_, kMetricMetadata, message, out, context);
  }

 private:
  net::GrpcChannel& channel_;
};

}  // namespace

void RegisterMetadata(MetadataService& service, MethodMap* methods) {
  (*methods)[kMetricMetadata] = ItemHandler<MetadataCodec, thanos::MetricMetadataRequest>(
      [&service](const thanos::MetricMetadataRequest& message, Sink<MetricMetadata>& out, const CallContext& context) {
        return service.Metadata(
            {message.metric(), message.limit(), ToPartialResponse(message.partial_response_strategy())}, out, context);
      });
}

std::unique_ptr<MetadataService> MakeMetadataClient(net::GrpcChannel& channel) {
  return std::make_unique<MetadataClient>(channel);
}

}  // namespace gauntlet::rpc
