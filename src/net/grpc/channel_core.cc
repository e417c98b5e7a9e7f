#include "net/grpc/channel_core.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "net/url.h"

namespace gauntlet::net {
namespace {

using std::chrono::milliseconds;

constexpr double kBackoffFactor = 1.6, kBackoffJitter = 0.2;

Status ChannelClosed() { return Status(Code::kUnavailable, "the channel is closed"); }

}  // namespace

void GrpcChannelCore::SetAddresses(const std::vector<std::string>& addresses) {
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

void GrpcChannelCore::Dispatch(const CallPtr& call) {
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

Status GrpcChannelCore::Trouble() const {
  for (const auto& target : targets_) {
    if (!target->last_error.ok()) return target->last_error;
  }
  return targets_.empty() ? Status(Code::kUnavailable, "no addresses to connect to") : Status();
}

bool GrpcChannelCore::ConnectAll() {
  bool hope = false;
  for (size_t i = 0; i < targets_.size(); ++i) {
    if (targets_[i]->state == Target::State::kIdle) Connect(targets_[i].get());
    hope = hope || targets_[i]->state == Target::State::kConnecting;
  }
  return hope;
}

void GrpcChannelCore::DispatchWaiting() {
  for (const CallPtr& call : std::exchange(waiting_, {})) Dispatch(call);
}

void GrpcChannelCore::Sweep() {
  std::erase_if(waiting_, [](const CallPtr& call) { return !call->pipe().broken().ok(); });
}

void GrpcChannelCore::Connect(Target* target) {
  target->state = Target::State::kConnecting;
  target->dial = std::make_unique<Dial>(loop_, target->address, options_.connect_timeout, [this, target](auto socket) {
    target->dial.reset();
    OnDialed(target, std::move(socket));
  });
}

Http2Options GrpcChannelCore::SessionOptions() const {
  Http2Options http2;
  http2.window_bytes = static_cast<uint32_t>(std::min<size_t>(options_.window_bytes, 1u << 30));
  http2.connection_window_bytes = std::max(http2.connection_window_bytes, http2.window_bytes);
  return http2;
}

void GrpcChannelCore::OnDialed(Target* target, Result<std::unique_ptr<LoopSocket>> socket) {
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

GrpcChannelCore::Target* GrpcChannelCore::TargetOf(const Http2Connection* connection) {
  for (const auto& target : targets_) {
    if (target->connection.get() == connection) return target.get();
  }
  return nullptr;
}

void GrpcChannelCore::OnReady(const Http2Connection* connection) {
  Target* target = TargetOf(connection);
  if (target == nullptr) return;
  target->state = Target::State::kReady;
  target->failures = 0;
  target->last_error = Status();
  DispatchWaiting();
}

void GrpcChannelCore::OnClosed(const Http2Connection* connection, const Status& why) {
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

void GrpcChannelCore::OnGoAway(const GrpcClientSession& session, bool too_many_pings) {
  auto current = std::find_if(targets_.begin(), targets_.end(), [&](const auto& t) { return t->session == &session; });
  if (current == targets_.end()) return;  // retired already
  Target* target = current->get();
  if (too_many_pings) target->keepalive_time *= 2;
  if (target->state == Target::State::kReady) Retire(target);
}

void GrpcChannelCore::Retire(Target* target) {
  target->dial.reset();
  target->retry_timer.Cancel();
  target->state = Target::State::kIdle;
  target->session = nullptr;
  if (target->connection) retired_.push_back(std::move(target->connection));
}

milliseconds GrpcChannelCore::Backoff(int failures) {
  double base = static_cast<double>(options_.backoff_base.count()) * std::pow(kBackoffFactor, failures - 1);
  double capped = std::min(base, static_cast<double>(options_.backoff_max.count()));
  std::uniform_real_distribution<double> jitter(1 - kBackoffJitter, 1 + kBackoffJitter);
  return milliseconds(static_cast<int64_t>(capped * jitter(random_)));
}

void GrpcChannelCore::OnFailed(Target* target, const Status& why) {
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

void GrpcChannelCore::Close() {
  closed_ = true;
  const Status why = ChannelClosed();
  for (const CallPtr& call : std::exchange(waiting_, {})) call->End(GrpcStatus(why), false);
  for (auto& target : targets_) Retire(target.get());
  for (const auto& connection : std::vector(retired_)) connection->Close(why);
  retired_.clear();
  targets_.clear();
}

}  // namespace gauntlet::net
