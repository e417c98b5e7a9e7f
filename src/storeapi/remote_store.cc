#include "storeapi/remote_store.h"

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

Result<LabelsAnswer> ToAnswer(const net::GrpcStatus& status, wire::LabelsResponse response) {
  if (!status.ok()) return RpcError(status);
  return LabelsAnswer{std::move(response.values), std::move(response.warnings)};
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
  wire::LabelsResponse response;
  net::GrpcStatus status = client_.LabelNames(request, &response, context);
  return ToAnswer(status, std::move(response));
}

Result<LabelsAnswer> RemoteStore::LabelValues(const LabelsRequest& request, const CallContext& context) {
  wire::LabelsResponse response;
  net::GrpcStatus status = client_.LabelValues(request, &response, context);
  return ToAnswer(status, std::move(response));
}

}  // namespace gauntlet::storeapi
