// The gRPC channel: connections to a set of addresses, made when calls want them, and calls dealt out in turn.
//
//   idle -> connecting -> ready -> (lost, or told to go) idle
//               |-> failing, until its backoff has passed -> idle
//
// A call goes to the next ready address. With none ready, it waits while one is connecting; when the last of those
// fails, waiting calls fail with it, but for those that wait for readiness.

#include <algorithm>
#include <cmath>
#include <deque>
#include <random>
#include <utility>

#include "net/dial.h"
#include "net/event_loop.h"
#include "net/grpc.h"
#include "net/grpc_client_session.h"
#include "net/grpc_codec.h"
#include "net/http2_connection.h"
#include "net/tls_context.h"
#include "net/url.h"

namespace gauntlet::net {
namespace {

using std::chrono::milliseconds;
using TimePoint = std::chrono::steady_clock::time_point;
using CallPtr = std::shared_ptr<GrpcClientCallState>;

constexpr size_t kReplayBytesMax = 256 << 10;  // of a call's requests, kept for a second try
constexpr double kBackoffFactor = 1.6, kBackoffJitter = 0.2;

Status ChannelClosed() { return Status(Code::kUnavailable, "the channel is closed"); }

// One address. Lives on the loop.
struct Target {
  enum class State : uint8_t { kIdle, kConnecting, kReady, kFailing };

  Target(EventLoop& loop, std::string a, milliseconds keepalive)
      : address(std::move(a)), keepalive_time(keepalive), retry_timer(loop) {}

  const std::string address;
  State state = State::kIdle;
  milliseconds keepalive_time;
  std::unique_ptr<Dial> dial;
  std::shared_ptr<Http2Connection> connection;
  GrpcClientSession* session = nullptr;  // the connection's
  LoopTimer retry_timer;
  int failures = 0;  // in a row
  Status last_error;
};

// The channel's part on the loop. Methods are called there, but for the constructor and the accessors.
class ChannelCore : public std::enable_shared_from_this<ChannelCore> {
 public:
  ChannelCore(GrpcChannelOptions options, EventLoop& loop)
      : options_(std::move(options)), loop_(loop), tls_contexts_({"h2"}) {}

  const GrpcChannelOptions& options() const { return options_; }
  EventLoop& loop() { return loop_; }
  Status CheckTls() { return options_.tls ? tls_contexts_.Get(*options_.tls).status() : Status(); }

  void SetAddresses(const std::vector<std::string>& addresses);
  void Dispatch(const CallPtr& call);
  // Forgets waiting calls that were given up.
  void Sweep();
  void Close();

 private:
  void Connect(Target* target);
  void OnDialed(Target* target, Result<std::unique_ptr<LoopSocket>> socket);
  // The address that a connection serves; null once retired.
  Target* TargetOf(const Http2Connection* connection);
  void OnReady(const Http2Connection* connection);
  void OnClosed(const Http2Connection* connection, const Status& why);
  void OnGoAway(const GrpcClientSession& session, bool too_many_pings);
  void OnFailed(Target* target, const Status& why);
  // Lets go of the connection; its calls may go on.
  void Retire(Target* target);
  // Starts to connect what may be connected. True when something is on its way.
  bool ConnectAll();
  void DispatchWaiting();
  milliseconds Backoff(int failures);
  Status Trouble() const;
  Http2Options SessionOptions() const;

  const GrpcChannelOptions options_;
  EventLoop& loop_;
  TlsClientContexts tls_contexts_;
  std::vector<std::unique_ptr<Target>> targets_;
  std::vector<std::shared_ptr<Http2Connection>> retired_;
  std::deque<CallPtr> waiting_;
  size_t next_ = 0;
  std::minstd_rand random_{std::random_device{}()};
  bool closed_ = false;
};

void ChannelCore::SetAddresses(const std::vector<std::string>& addresses) {
  if (closed_) return;
  std::vector<std::unique_ptr<Target>> before = std::exchange(targets_, {});
  for (const std::string& address : addresses) {
    auto same = [&](const auto& t) { return t && t->address == address; };
    if (std::any_of(targets_.begin(), targets_.end(), same)) continue;
    auto kept = std::find_if(before.begin(), before.end(), same);
    targets_.push_back(kept != before.end() ? std::move(*kept)
                                            : std::make_unique<Target>(loop_, address, options_.keepalive_time));
  }
  for (auto& gone : before) {
    if (!gone) continue;
    std::shared_ptr<Http2Connection> connection = gone->connection;
    bool was_ready = gone->state == Target::State::kReady;
    Retire(gone.get());
    if (!connection) continue;
    if (!was_ready) {
      connection->Close(Status(Code::kUnavailable, gone->address + ": no longer used"));
      continue;
    }
    connection->session().GoAway(0, "");
    connection->Flush();
  }
  DispatchWaiting();
}

void ChannelCore::Dispatch(const CallPtr& call) {
  if (!call->pipe().broken().ok()) return;
  if (closed_) return call->End(GrpcStatus(ChannelClosed()), false);
  bool hope = ConnectAll();
  for (size_t i = 0; i < targets_.size(); ++i) {
    Target* target = targets_[(next_ + i) % targets_.size()].get();
    if (target->state != Target::State::kReady || !target->session->StartCall(call)) continue;
    next_ = (next_ + i + 1) % targets_.size();
    auto connection = target->connection;
    return connection->Flush();
  }
  Status trouble = Trouble();
  if (hope || call->wait_for_ready()) {
    if (!trouble.ok()) call->SetHint(std::string(trouble.message()));
    waiting_.push_back(call);
    return;
  }
  call->End({GrpcCode::kUnavailable, std::string(trouble.message())}, false);
}

Status ChannelCore::Trouble() const {
  for (const auto& target : targets_) {
    if (!target->last_error.ok()) return target->last_error;
  }
  return targets_.empty() ? Status(Code::kUnavailable, "no addresses to connect to") : Status();
}

bool ChannelCore::ConnectAll() {
  bool hope = false;
  for (size_t i = 0; i < targets_.size(); ++i) {
    if (targets_[i]->state == Target::State::kIdle) Connect(targets_[i].get());
    hope = hope || targets_[i]->state == Target::State::kConnecting;
  }
  return hope;
}

void ChannelCore::DispatchWaiting() {
  for (const CallPtr& call : std::exchange(waiting_, {})) Dispatch(call);
}

void ChannelCore::Sweep() {
  std::erase_if(waiting_, [](const CallPtr& call) { return !call->pipe().broken().ok(); });
}

void ChannelCore::Connect(Target* target) {
  target->state = Target::State::kConnecting;
  target->dial = std::make_unique<Dial>(loop_, target->address, options_.connect_timeout, [this, target](auto socket) {
    target->dial.reset();
    OnDialed(target, std::move(socket));
  });
}

Http2Options ChannelCore::SessionOptions() const {
  Http2Options http2;
  http2.window_bytes = static_cast<uint32_t>(std::min<size_t>(options_.window_bytes, 1u << 30));
  http2.connection_window_bytes = std::max(http2.connection_window_bytes, http2.window_bytes);
  return http2;
}

void ChannelCore::OnDialed(Target* target, Result<std::unique_ptr<LoopSocket>> socket) {
  if (!socket.ok()) return OnFailed(target, socket.status());
  std::string host, port;
  (void)SplitHostPort(target->address, &host, &port).ok();  // Dial has split it already
  GrpcClientSession::Services services;
  services.address = target->address;
  bool named = options_.tls && !options_.tls->server_name.empty();
  services.authority = named ? options_.tls->server_name : target->address;
  services.scheme = options_.tls ? "https" : "http";
  services.user_agent = options_.user_agent;
  services.message_bytes_max = options_.message_bytes_max;
  services.again = [this](const CallPtr& call) {
    loop_.Post([weak = weak_from_this(), call] {  // not from within the session's event
      auto core = weak.lock();
      core ? core->Dispatch(call) : call->End(GrpcStatus(ChannelClosed()), false);
    });
  };
  services.on_goaway = [this](const GrpcClientSession& session, bool too_many_pings) {
    OnGoAway(session, too_many_pings);
  };
  auto mailbox = std::make_shared<Http2Mailbox>(&loop_);
  auto session = std::make_unique<GrpcClientSession>(SessionOptions(), std::move(services), mailbox);

  Http2Connection::Options connection;
  connection.handshake_timeout = options_.connect_timeout;
  connection.keepalive_time = target->keepalive_time;
  connection.keepalive_timeout = options_.keepalive_timeout;
  connection.peer = target->address;
  auto* raw_session = session.get();
  auto made = std::make_shared<Http2Connection>(loop_, *std::move(socket), std::move(session), std::move(mailbox),
                                                std::move(connection));
  if (options_.tls) {
    auto context = tls_contexts_.Get(*options_.tls);
    Status ready = context.ok() ? made->stream().UseTlsAsClient(*context, *options_.tls, host) : context.status();
    if (!ready.ok()) return OnFailed(target, ready.Wrap(target->address));
  }
  target->session = raw_session;
  target->connection = std::move(made);
  auto started = target->connection;
  started->Start([this, mine = started.get()] { OnReady(mine); },
                 [this, mine = started.get()](const Status& why) { OnClosed(mine, why); });
}

Target* ChannelCore::TargetOf(const Http2Connection* connection) {
  for (const auto& target : targets_) {
    if (target->connection.get() == connection) return target.get();
  }
  return nullptr;
}

void ChannelCore::OnReady(const Http2Connection* connection) {
  Target* target = TargetOf(connection);
  if (target == nullptr) return;
  target->state = Target::State::kReady;
  target->failures = 0;
  target->last_error = Status();
  DispatchWaiting();
}

void ChannelCore::OnClosed(const Http2Connection* connection, const Status& why) {
  std::erase_if(retired_, [&](const auto& r) { return r.get() == connection; });
  Target* target = TargetOf(connection);
  if (target == nullptr) return;
  bool was_ready = target->state == Target::State::kReady;
  target->connection.reset();
  target->session = nullptr;
  if (!was_ready) return OnFailed(target, why);
  target->state = Target::State::kIdle;
  target->last_error = why;
  if (!waiting_.empty()) ConnectAll();
}

void ChannelCore::OnGoAway(const GrpcClientSession& session, bool too_many_pings) {
  auto current = std::find_if(targets_.begin(), targets_.end(), [&](const auto& t) { return t->session == &session; });
  if (current == targets_.end()) return;  // retired already
  Target* target = current->get();
  if (too_many_pings) target->keepalive_time *= 2;
  if (target->state == Target::State::kReady) Retire(target);
}

void ChannelCore::Retire(Target* target) {
  target->dial.reset();
  target->retry_timer.Cancel();
  target->state = Target::State::kIdle;
  target->session = nullptr;
  if (target->connection) retired_.push_back(std::move(target->connection));
}

milliseconds ChannelCore::Backoff(int failures) {
  double base = static_cast<double>(options_.backoff_base.count()) * std::pow(kBackoffFactor, failures - 1);
  double capped = std::min(base, static_cast<double>(options_.backoff_max.count()));
  std::uniform_real_distribution<double> jitter(1 - kBackoffJitter, 1 + kBackoffJitter);
  return milliseconds(static_cast<int64_t>(capped * jitter(random_)));
}

void ChannelCore::OnFailed(Target* target, const Status& why) {
  if (closed_) return;
  target->state = Target::State::kFailing;
  target->last_error = why;
  target->failures = std::min(target->failures + 1, 100);
  target->retry_timer.After(Backoff(target->failures), [this, target] {
    target->state = Target::State::kIdle;
    if (!waiting_.empty()) ConnectAll();
  });
  for (const auto& other : targets_) {
    if (other->state == Target::State::kConnecting || other->state == Target::State::kReady) return;
  }
  std::deque<CallPtr> left;
  for (const CallPtr& call : std::exchange(waiting_, {})) {
    call->SetHint(std::string(why.message()));
    if (call->wait_for_ready()) {
      left.push_back(call);
    } else {
      call->End({GrpcCode::kUnavailable, std::string(why.message())}, false);
    }
  }
  waiting_ = std::move(left);
}

void ChannelCore::Close() {
  closed_ = true;
  const Status why = ChannelClosed();
  for (const CallPtr& call : std::exchange(waiting_, {})) call->End(GrpcStatus(why), false);
  for (auto& target : targets_) Retire(target.get());
  for (const auto& connection : std::vector(retired_)) connection->Close(why);
  retired_.clear();
  targets_.clear();
}

// ---- The user's side ------------------------------------------------------------------------------------------------

class GrpcClientCallImpl : public GrpcClientCall {
 public:
  GrpcClientCallImpl(std::shared_ptr<EventLoop> loop, std::weak_ptr<ChannelCore> core, CallPtr state,
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
  const std::weak_ptr<ChannelCore> core_;
  const CallPtr state_;
  const size_t message_bytes_max_;
  Cancel::Registration on_stop_;
};

class GrpcChannelImpl : public GrpcChannel {
 public:
  GrpcChannelImpl(std::shared_ptr<EventLoop> loop, std::shared_ptr<ChannelCore> core)
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
  const std::shared_ptr<ChannelCore> core_;
};

}  // namespace

Result<std::unique_ptr<GrpcChannel>> GrpcChannel::Make(GrpcChannelOptions options) {
  GN_ASSIGN(auto loop, EventLoop::Shared());
  std::vector<std::string> addresses = options.addresses;
  auto core = std::make_shared<ChannelCore>(std::move(options), *loop);
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
