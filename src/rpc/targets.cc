#include "rpc/targets.h"

#include <google/protobuf/timestamp.pb.h>

#include "proto/thanos/targets.pb.h"
#include "rpc/glue.h"
#include "rpc/item_stream.h"
#include "wire/proto_convert.h"

namespace gauntlet::rpc {
namespace {

using net::GrpcStatus;

constexpr const char* kTargets = "/thanos.Targets/Targets";

struct TargetsCodec {
  using Item = TargetDiscovery;
  using Message = thanos::TargetsResponse;

  static bool Has(const Message& message) { return message.has_targets(); }
  static Result<TargetDiscovery> To(const Message& message) {
    TargetDiscovery out;
    for (const auto& target : message.targets().activetargets()) {
      ActiveTarget& t = out.active.emplace_back();
      t.discovered_labels = wire::ToLabels(target.discoveredlabels().labels());
      t.labels = wire::ToLabels(target.labels().labels());
      t.scrape_pool = target.scrapepool();
      t.scrape_url = target.scrapeurl();
      t.global_url = target.globalurl();
      t.last_error = target.lasterror();
      if (target.has_lastscrape()) t.last_scrape_ns = ToNs(target.lastscrape());
      t.last_scrape_seconds = target.lastscrapeduration();
      if (target.health() >= 0 && target.health() <= 2) t.health = static_cast<TargetHealth>(target.health());
    }
    for (const auto& target : message.targets().droppedtargets())
      out.dropped.push_back(wire::ToLabels(target.discoveredlabels().labels()));
    return out;
  }
  static void From(const TargetDiscovery& targets, Message* message) {
    thanos::TargetDiscovery* out = message->mutable_targets();
    for (const ActiveTarget& target : targets.active) {
      thanos::ActiveTarget* t = out->add_activetargets();
      wire::FromLabels(target.discovered_labels, t->mutable_discoveredlabels()->mutable_labels());
      wire::FromLabels(target.labels, t->mutable_labels()->mutable_labels());
      t->set_scrapepool(target.scrape_pool);
      t->set_scrapeurl(target.scrape_url);
      t->set_globalurl(target.global_url);
      t->set_lasterror(target.last_error);
      FromNs(target.last_scrape_ns, t->mutable_lastscrape());
      t->set_lastscrapeduration(target.last_scrape_seconds);
      t->set_health(static_cast<thanos::TargetHealth>(target.health));
    }
    for (const Labels& labels : targets.dropped)
      wire::FromLabels(labels, out->add_droppedtargets()->mutable_discoveredlabels()->mutable_labels());
  }
};

class TargetsClient : public TargetsService {
 public:
  explicit TargetsClient(net::GrpcChannel& channel) : channel_(channel) {}
  GrpcStatus Targets(const TargetsRequest& request, Sink<TargetDiscovery>& out, const CallContext& context) override {
    thanos::TargetsRequest message;
    message.set_state(static_cast<thanos::TargetsRequest::State>(request.state));
    message.set_partial_response_strategy(FromPartialResponse(request.partial_response));
    return CallItems<TargetsCodec>(channel_, kTargets, message, out, context);
  }

 private:
  net::GrpcChannel& channel_;
};

}  // namespace

void RegisterTargets(TargetsService& service, MethodMap* methods) {
  (*methods)[kTargets] = ItemHandler<TargetsCodec, thanos::TargetsRequest>(
      [&service](const thanos::TargetsRequest& message, Sink<TargetDiscovery>& out, const CallContext& context) {
        TargetsRequest request;
        if (message.state() >= 0 && message.state() <= 2) request.state = static_cast<TargetState>(message.state());
        request.partial_response = ToPartialResponse(message.partial_response_strategy());
        return service.Targets(request, out, context);
      });
}

std::unique_ptr<TargetsService> MakeTargetsClient(net::GrpcChannel& channel) {
  return std::make_unique<TargetsClient>(channel);
}

}  // namespace gauntlet::rpc
