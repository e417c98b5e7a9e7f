// What the users of a channel hold: their threads' side of the calls.

#include <utility>

#include "net/event_loop.h"
#include "net/grpc/channel_core.h"
#include "net/grpc/client_session.h"
#include "net/grpc/codec.h"
#include "net/grpc/grpc.h"

namespace gauntlet::net {
namespace {

using std::chrono::milliseconds;
using CallPtr = std::shared_ptr<GrpcClientCallState>;

constexpr size_t kReplayBytesMax = 256 << 10;  // of a call's requests, kept for a second try

class GrpcClientCallImpl final : public GrpcClientCall {
 public:
  GrpcClientCallImpl(std::shared_ptr<EventLoop> loop, std::weak_ptr<GrpcChannelCore> core, CallPtr state,
                     size_t message_bytes_max)
      : loop_(std::move(loop)),
        core_(std::move(core)),
        state_(std::move(state)),
        message_bytes_max_(message_bytes_max) {
    on_stop_ = state_->cancel().OnStop([this] { Break(state_->cancel().status()); });
  }

  ~GrpcClientCallImpl() override {
    on_stop_.Reset();
    Stop();
  }

  Status Write(std::string_view message) override {
    GN_ASSIGN(auto framed, EncodeGrpcMessageFrame(state_->request_compression(), message));
    GN_ASSIGN(bool in_time, state_->pipe().Write(std::move(framed), state_->cancel().deadline()));
    return in_time ? Status() : Expire();
  }

  Status WritesDone() override {
    state_->pipe().CloseOutput();
    return state_->pipe().broken();
  }

  Result<bool> Read(std::string* message, std::optional<milliseconds> timeout) override {
    auto until = state_->cancel().deadline();
    if (timeout) until = state_->cancel().DeadlineOr(*timeout);
    GrpcFrame frame;
    GN_ASSIGN(auto outcome, state_->pipe().Read(&frame, until));
    if (outcome == GrpcPipe::ReadOutcome::kEnd) return false;
    if (outcome == GrpcPipe::ReadOutcome::kTimeout) {
      auto deadline = state_->cancel().deadline();
      if (deadline && std::chrono::steady_clock::now() >= *deadline) return Expire();
      return Status(Code::kDeadline, state_->hint() + ": no message for " + std::to_string(timeout->count()) + "ms");
    }
    Status decoded =
        DecodeGrpcMessageFrame(state_->response_compression(), message_bytes_max_, std::move(frame), message);
    if (decoded.ok()) return true;
    decoded.Wrap(state_->hint());
    Break(decoded);
    return decoded;
  }

  bool Ready() const override { return state_->pipe().Ready(); }

  GrpcStatus Finish() override {
    if (!state_->pipe().WaitEnd(state_->cancel().deadline())) (void)Expire().ok();
    return state_->final_status();
  }

  void Stop() override { Break(Status(Code::kCancelled, "stopped by the caller")); }

 private:
  void Break(const Status& why) {
    if (state_->pipe().Ended()) return;
    state_->pipe().Break(why);
    // The stream's session has heard of it; a call that waits for a connection is known to the channel only.
    loop_->Post([core = core_] {
      if (auto alive = core.lock()) alive->Sweep();
    });
  }

  Status Expire() {
    std::string hint = state_->hint();
    Status why(Code::kDeadline, hint + ": deadline exceeded");
    Break(why);
    return why;
  }

  const std::shared_ptr<EventLoop> loop_;
  const std::weak_ptr<GrpcChannelCore> core_;
  const CallPtr state_;
  const size_t message_bytes_max_;
  Cancel::Registration on_stop_;
};

class GrpcChannelImpl final : public GrpcChannel {
 public:
  GrpcChannelImpl(std::shared_ptr<EventLoop> loop, std::shared_ptr<GrpcChannelCore> core)
      : loop_(std::move(loop)), core_(std::move(core)) {}

  ~GrpcChannelImpl() override {
    loop_->Call([core = core_] { core->Close(); });
  }

  void SetAddresses(std::vector<std::string> addresses) override {
    loop_->Post([core = core_, addresses = std::move(addresses)] { core->SetAddresses(addresses); });
  }

  std::unique_ptr<GrpcClientCall> Start(std::string_view method, const GrpcMetadata& metadata, const Cancel& cancel,
                                        bool wait_for_ready) override {
    const GrpcChannelOptions& options = core_->options();
    GrpcPipe::Limits limits;
    limits.window_bytes = options.window_bytes;
    limits.replay_bytes_max = kReplayBytesMax;
    auto state =
        std::make_shared<GrpcClientCallState>(method, metadata, cancel, wait_for_ready, options.compression, limits);
    state->SetHint("connecting");
    auto call = std::make_unique<GrpcClientCallImpl>(loop_, core_, state, options.message_bytes_max);
    loop_->Post([core = core_, state] { core->Dispatch(state); });
    return call;
  }

 private:
  const std::shared_ptr<EventLoop> loop_;
  const std::shared_ptr<GrpcChannelCore> core_;
};

}  // namespace

Result<std::unique_ptr<GrpcChannel>> GrpcChannel::Make(GrpcChannelOptions options) {
  GN_ASSIGN(auto loop, EventLoop::Shared());
  std::vector<std::string> addresses = options.addresses;
  auto core = std::make_shared<GrpcChannelCore>(std::move(options), *loop);
  GN_TRY(core->CheckTls());
  auto channel = std::make_unique<GrpcChannelImpl>(std::move(loop), std::move(core));
  channel->SetAddresses(std::move(addresses));
  return std::unique_ptr<GrpcChannel>(std::move(channel));
}

Result<std::string> GrpcChannel::Unary(std::string_view method, std::string_view request, const GrpcMetadata& metadata,
                                       const Cancel& cancel, bool wait_for_ready) {
  std::unique_ptr<GrpcClientCall> call = Start(method, metadata, cancel, wait_for_ready);
  if (call->Write(request).ok()) (void)call->WritesDone().ok();  // what went wrong shows below
  std::string answer;
  GN_ASSIGN(bool answered, call->Read(&answer));
  std::string more;
  if (answered) {
    GN_ASSIGN(bool again, call->Read(&more));
    if (again) return Status(Code::kInternal, std::string(method) + ": more than one answer to one request");
  }
  GrpcStatus status = call->Finish();
  if (!status.ok()) return status.ToStatus();
  if (!answered) return Status(Code::kInternal, std::string(method) + ": no answer");
  return answer;
}

}  // namespace gauntlet::net
