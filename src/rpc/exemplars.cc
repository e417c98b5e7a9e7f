#include "rpc/exemplars.h"

#include "proto/thanos/exemplars.pb.h"
#include "rpc/glue.h"
#include "rpc/item_stream.h"
#include "wire/proto_convert.h"

namespace gauntlet::rpc {
namespace {

using net::GrpcStatus;

constexpr const char* kExemplars = "/thanos.Exemplars/Exemplars";

struct ExemplarsCodec {
  using Item = ExemplarData;
  using Message = thanos::ExemplarsResponse;

  static bool Has(const Message& message) { return message.has_data(); }
  static Result<ExemplarData> To(const Message& message) {
    ExemplarData out;
    out.series_labels = wire::ToLabels(message.data().serieslabels().labels());
    for (const auto& exemplar : message.data().exemplars())
      out.exemplars.push_back({wire::ToLabels(exemplar.labels().labels()), exemplar.value(), exemplar.ts()});
    return out;
  }
  static void From(const ExemplarData& data, Message* message) {
    wire::FromLabels(data.series_labels, message->mutable_data()->mutable_serieslabels()->mutable_labels());
    for (const Exemplar& exemplar : data.exemplars) {
      thanos::Exemplar* e = message->mutable_data()->add_exemplars();
      wire::FromLabels(exemplar.labels, e->mutable_labels()->mutable_labels());
      e->set_value(exemplar.value);
      e->set_ts(exemplar.time_ms);
    }
  }
};

class ExemplarsClient : public ExemplarsService {
 public:
  explicit ExemplarsClient(net::GrpcChannel& channel) : channel_(channel) {}
  GrpcStatus Exemplars(const ExemplarsRequest& request, Sink<ExemplarData>& out, const CallContext& context) override {
    thanos::ExemplarsRequest message;
    message.set_query(request.query);
    message.set_start(request.start_ms);
    message.set_end(request.end_ms);
    message.set_partial_response_strategy(FromPartialResponse(request.partial_response));
    return CallItems<ExemplarsCodec>(channel_, kExemplars, message, out, context);
  }

 private:
  net::GrpcChannel& channel_;
};

}  // namespace

void RegisterExemplars(ExemplarsService& service, MethodMap* methods) {
  (*methods)[kExemplars] = ItemHandler<ExemplarsCodec, thanos::ExemplarsRequest>(
      [&service](const thanos::ExemplarsRequest& message, Sink<ExemplarData>& out, const CallContext& context) {
        return service.Exemplars(
            {message.query(), message.start(), message.end(), ToPartialResponse(message.partial_response_strategy())},
            out, context);
      });
}

std::unique_ptr<ExemplarsService> MakeExemplarsClient(net::GrpcChannel& channel) {
  return std::make_unique<ExemplarsClient>(channel);
}

}  // namespace gauntlet::rpc
