// GrpcChannelCore: the channel's part on the event loop: connections to a set of addresses, made when calls want them,
// and calls dealt out to them in turn.
//
//   idle -> connecting -> ready -> (lost, or told to go) idle
//               |-> failing, until its backoff has passed -> idle
//
// A call goes to the next ready address. With none ready, it waits while one is connecting; when the last of those
// fails, waiting calls fail with it, but for those that wait for readiness.
// Threads: the event loop's, but for the constructor and what says otherwise.

#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/status.h"
#include "net/dial.h"
#include "net/event_loop.h"
#include "net/grpc/client_session.h"
#include "net/grpc/grpc.h"
#include "net/grpc/http2_connection.h"
#include "net/tls_context.h"

namespace gauntlet::net {

class GrpcChannelCore : public std::enable_shared_from_this<GrpcChannelCore> {
 public:
  GrpcChannelCore(GrpcChannelOptions options, EventLoop& loop)
      : options_(std::move(options)), loop_(loop), tls_contexts_({"h2"}) {}

  using CallPtr = std::shared_ptr<GrpcClientCallState>;

  // Any thread.
  const GrpcChannelOptions& options() const { return options_; }
  // kInvalid when the TLS options or their files are no good. Any thread.
  Status CheckTls() { return options_.tls ? tls_contexts_.Get(*options_.tls).status() : Status(); }

  void SetAddresses(const std::vector<std::string>& addresses);
  void Dispatch(const CallPtr& call);
  // Forgets waiting calls that were given up.
  void Sweep();
  void Close();

 private:
  // One address.
  struct Target {
    enum class State : uint8_t { kIdle, kConnecting, kReady, kFailing };

    Target(EventLoop& loop, std::string a, std::chrono::milliseconds keepalive)
        : address(std::move(a)), keepalive_time(keepalive), retry_timer(loop) {}

    const std::string address;
    State state = State::kIdle;
    std::chrono::milliseconds keepalive_time;
    std::unique_ptr<Dial> dial;
    std::shared_ptr<Http2Connection> connection;
    GrpcClientSession* session = nullptr;  // the connection's
    LoopTimer retry_timer;
    int failures = 0;  // in a row
    Status last_error;
  };

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
  std::chrono::milliseconds Backoff(int failures);
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

}  // namespace gauntlet::net
