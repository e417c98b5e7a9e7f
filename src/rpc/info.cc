#include "rpc/info.h"

#include "proto/thanos/info.pb.h"
#include "rpc/glue.h"
#include "wire/proto_convert.h"

namespace gauntlet::rpc {
namespace {

using net::GrpcStatus;

constexpr const char* kInfo = "/thanos.info.Info/Info";

std::string Encode(const Info& info) {
  thanos::info::InfoResponse message;
  for (const Labels& labels : info.label_sets) wire::FromLabels(labels, message.add_label_sets()->mutable_labels());
  message.set_componenttype(info.component);
  if (info.store) {
    auto* store = message.mutable_store();
    store->set_min_time(info.store->min_time_ms);
    store->set_max_time(info.store->max_time_ms);
    store->set_supports_sharding(info.store->supports_sharding);
    store->set_supports_without_replica_labels(info.store->supports_without_replica_labels);
    store->set_supports_projections(info.store->supports_projections);
    for (const TsdbInfo& tsdb : info.store->tsdbs) {
      auto* t = store->add_tsdb_infos();
      wire::FromLabels(tsdb.labels, t->mutable_labels()->mutable_labels());
      t->set_min_time(tsdb.min_time_ms);
      t->set_max_time(tsdb.max_time_ms);
    }
  }
  if (info.exemplars) {
    message.mutable_exemplars()->set_min_time(info.exemplars->min_time_ms);
    message.mutable_exemplars()->set_max_time(info.exemplars->max_time_ms);
  }
  if (info.rules) message.mutable_rules();
  if (info.metadata) message.mutable_metric_metadata();
  if (info.targets) message.mutable_targets();
  if (info.query) message.mutable_query();
  if (info.status) message.mutable_status();
  return message.SerializeAsString();
}

Result<Info> Decode(std::string_view bytes) {
  thanos::info::InfoResponse message;
  GN_TRY(wire::ParseMessage(bytes, &message));
  Info info;
  for (const auto& labels : message.label_sets()) info.label_sets.push_back(wire::ToLabels(labels.labels()));
  info.component = message.componenttype();
  if (message.has_store()) {
    const auto& store = message.store();
    info.store = {store.min_time(),
                  store.max_time(),
                  store.supports_sharding(),
                  store.supports_without_replica_labels(),
                  store.supports_projections(),
                  {}};
    for (const auto& tsdb : store.tsdb_infos())
      info.store->tsdbs.push_back({wire::ToLabels(tsdb.labels().labels()), tsdb.min_time(), tsdb.max_time()});
  }
  if (message.has_exemplars()) info.exemplars = {message.exemplars().min_time(), message.exemplars().max_time()};
  info.rules = message.has_rules();
  info.metadata = message.has_metric_metadata();
  info.targets = message.has_targets();
  info.query = message.has_query();
  info.status = message.has_status();
  return info;
}

class InfoClient : public InfoService {
 public:
  explicit InfoClient(net::GrpcChannel& channel) : channel_(channel) {}
  GrpcStatus GetInfo(Info* info, const CallContext& context) override {
    std::string answer;
    GrpcStatus status = CallUnary(channel_, kInfo, "", context, &answer, /*wait_for_ready=*/true);
    if (!status.ok()) return status;
    auto decoded = Decode(answer);
    if (!decoded.ok()) return decoded.status();
    *info = *std::move(decoded);
    return {};
  }

 private:
  net::GrpcChannel& channel_;
};

}  // namespace

void RegisterInfo(InfoService& service, MethodMap* methods) {
  (*methods)[kInfo] = UnaryHandler([&service](std::string_view, std::string* answer, const CallContext& context) {
    Info info;
    GrpcStatus status = service.GetInfo(&info, context);
    if (status.ok()) *answer = Encode(info);
    return status;
  });
}

std::unique_ptr<InfoService> MakeInfoClient(net::GrpcChannel& channel) { return std::make_unique<InfoClient>(channel); }

}  // namespace gauntlet::rpc
