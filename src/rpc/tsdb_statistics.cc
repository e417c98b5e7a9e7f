#include "rpc/tsdb_statistics.h"

#include "proto/thanos/status.pb.h"
#include "rpc/glue.h"
#include "rpc/item_stream.h"
#include "wire/proto_convert.h"

namespace gauntlet::rpc {
namespace {

using net::GrpcStatus;

constexpr const char* kStatistics = "/thanos.Status/TSDBStatistics";

using Messages = google::protobuf::RepeatedPtrField<thanos::Statistic>;

std::vector<Statistic> ToStatistics(const Messages& messages) {
  std::vector<Statistic> out;
  for (const auto& message : messages) out.push_back({message.name(), message.value()});
  return out;
}

void FromStatistics(const std::vector<Statistic>& statistics, Messages* messages) {
  for (const Statistic& statistic : statistics) {
    thanos::Statistic* message = messages->Add();
    message->set_name(statistic.name);
    message->set_value(statistic.value);
  }
}

struct StatusCodec {
  using Item = TsdbStatistics;
  using Message = thanos::TSDBStatisticsResponse;

  static bool Has(const Message& message) { return message.has_statistics(); }
  static Result<TsdbStatistics> To(const Message& message) {
    TsdbStatistics out;
    for (const auto& [tenant, entry] : message.statistics().statistics()) {
      const auto& head = entry.head_statistics();
      out[tenant] = {head.num_series(),
                     head.num_label_pairs(),
                     head.chunk_count(),
                     head.min_time(),
                     head.max_time(),
                     ToStatistics(entry.series_count_by_metric_name()),
                     ToStatistics(entry.label_value_count_by_label_name()),
                     ToStatistics(entry.memory_in_bytes_by_label_name()),
                     ToStatistics(entry.series_count_by_label_value_pair())};
    }
    return out;
  }
  static void From(const TsdbStatistics& statistics, Message* message) {
    auto& out = *message->mutable_statistics()->mutable_statistics();
    for (const auto& [tenant, entry] : statistics) {
      thanos::TSDBStatisticsEntry& e = out[tenant];
      e.mutable_head_statistics()->set_num_series(entry.series);
      e.mutable_head_statistics()->set_num_label_pairs(entry.label_pairs);
      e.mutable_head_statistics()->set_chunk_count(entry.chunks);
      e.mutable_head_statistics()->set_min_time(entry.min_time_ms);
      e.mutable_head_statistics()->set_max_time(entry.max_time_ms);
      FromStatistics(entry.series_by_metric_name, e.mutable_series_count_by_metric_name());
      FromStatistics(entry.values_by_label_name, e.mutable_label_value_count_by_label_name());
      FromStatistics(entry.memory_bytes_by_label_name, e.mutable_memory_in_bytes_by_label_name());
      FromStatistics(entry.series_by_label_pair, e.mutable_series_count_by_label_value_pair());
    }
  }
};

class StatusClient : public StatusService {
 public:
  explicit StatusClient(net::GrpcChannel& channel) : channel_(channel) {}
  GrpcStatus Statistics(const TsdbStatisticsRequest& request, Sink<TsdbStatistics>& out,
                        const CallContext& context) override {
    thanos::TSDBStatisticsRequest message;
    message.set_tenant(request.tenant);
    message.set_limit(request.limit);
    message.set_partial_response_strategy(FromPartialResponse(request.partial_response));
    wire::FromMatchers(request.matchers, message.mutable_matchers());
    return CallItems<StatusCodec>(channel_, kStatistics, message, out, context);
  }

 private:
  net::GrpcChannel& channel_;
};

}  // namespace

void RegisterStatus(StatusService& service, MethodMap* methods) {
  (*methods)[kStatistics] = ItemHandler<StatusCodec, thanos::TSDBStatisticsRequest>(
      [&service](const thanos::TSDBStatisticsRequest& message, Sink<TsdbStatistics>& out,
                 const CallContext& context) -> GrpcStatus {
        TsdbStatisticsRequest request;
        request.tenant = message.tenant();
        request.limit = message.limit();
        request.partial_response = ToPartialResponse(message.partial_response_strategy());
        auto matchers = wire::ToMatchers(message.matchers());
        if (!matchers.ok()) return BadRequest(matchers.status());
        request.matchers = *std::move(matchers);
        return service.Statistics(request, out, context);
      });
}

std::unique_ptr<StatusService> MakeStatusClient(net::GrpcChannel& channel) {
  return std::make_unique<StatusClient>(channel);
}

}  // namespace gauntlet::rpc
