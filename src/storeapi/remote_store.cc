#include "storeapi/remote_store.h"

#include <optional>
#include <utility>

namespace gauntlet::storeapi {
namespace {

class RemoteStream : public SeriesStream {
 public:
  RemoteStream(std::shared_ptr<net::GrpcChannel> channel, std::unique_ptr<rpc::SeriesStream> frames,
               std::chrono::milliseconds response_timeout)
      : channel_(std::move(channel)), frames_(std::move(frames)) {
    if (response_timeout.count() > 0) timeout_ = response_timeout;
  }

  Result<SeriesBatchPtr> Next() override {
    while (true) {
      std::string frame;
      Result<bool> more = frames_->Next(&frame, timeout_);
      if (!more.ok() && timeout_ && more.status().code() == Code::kDeadline) {
        frames_->Stop();
        return more.status().Wrap("failed to receive any data in " + std::to_string(timeout_->count()) + "ms");
      }
      if (!more.ok() || !*more) {
        net::GrpcStatus end = frames_->status();
        if (!end.ok()) return RpcError(end);
        GN_TRY(more.status());
        return SeriesBatchPtr();
      }
      GN_ASSIGN(ParsedFrame parsed, ParseFrame(std::move(frame)));
      for (std::string& warning : parsed.warnings) warnings_.push_back(std::move(warning));
      if (parsed.series) return std::move(parsed.series);
    }
  }

  std::vector<std::string> TakeWarnings() override { return std::exchange(warnings_, {}); }

 private:
  std::shared_ptr<net::GrpcChannel> channel_;  // outlives the call
  std::unique_ptr<rpc::SeriesStream> frames_;
  std::optional<std::chrono::milliseconds> timeout_;
  std::vector<std::string> warnings_;
};

// A call that is answered at once or, after the time-out, not at all. `ask` makes it.
template <typename Ask>
Result<LabelsAnswer> AskWithin(std::chrono::milliseconds timeout, const CallContext& context, const Ask& ask) {
  CallContext within = context;
  std::optional<CancelSource> source;
  if (timeout.count() > 0) {
    source.emplace(context.cancel, timeout);
    within.cancel = source->cancel();
  }
  wire::LabelsResponse response;
  net::GrpcStatus status = ask(&response, within);
  if (status.ok()) return LabelsAnswer{std::move(response.values), std::move(response.warnings)};
  Status failed = RpcError(status);
  bool late = timeout.count() > 0 && within.cancel.stopped() && !context.cancel.stopped();
  if (late) failed.Wrap("failed to receive any data in " + std::to_string(timeout.count()) + "ms");
  return failed;
}

}  // namespace

Status RpcError(const net::GrpcStatus& status) {
  return Status(net::FromGrpcCode(status.code),
                "rpc error: code = " + std::string(net::GrpcCodeText(status.code)) + " desc = " + status.message);
}

RemoteStore::RemoteStore(std::shared_ptr<net::GrpcChannel> channel, std::chrono::milliseconds response_timeout)
    : channel_(std::move(channel)), client_(*channel_), response_timeout_(response_timeout) {}

std::unique_ptr<SeriesStream> RemoteStore::Series(const SeriesRequest& request, const CallContext& context) {
  return std::make_unique<RemoteStream>(channel_, client_.Series(request, context), response_timeout_);
}

Result<LabelsAnswer> RemoteStore::LabelNames(const LabelsRequest& request, const CallContext& context) {
  return AskWithin(response_timeout_, context, [&](wire::LabelsResponse* response, const CallContext& within) {
    return client_.LabelNames(request, response, within);
  });
}

Result<LabelsAnswer> RemoteStore::LabelValues(const LabelsRequest& request, const CallContext& context) {
  return AskWithin(response_timeout_, context, [&](wire::LabelsResponse* response, const CallContext& within) {
    return client_.LabelValues(request, response, within);
  });
}

}  // namespace gauntlet::storeapi
