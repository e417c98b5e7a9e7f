// The gRPC server: a listening socket and its connections on one event loop, handlers on the caller's executor.
//
// Everything of the listener and the connections lives on the loop; what crosses threads is the count of calls and of
// connections, for Shutdown to wait on.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <random>
#include <set>
#include <utility>

#include "base/executor.h"
#include "base/mutex.h"
#include "net/event_loop.h"
#include "net/grpc/grpc.h"
#include "net/grpc/http2_connection.h"
#include "net/grpc/server_session.h"
#include "net/socket.h"
#include "net/tls_context.h"

namespace gauntlet::net {
namespace {

using std::chrono::milliseconds;
using TimePoint = std::chrono::steady_clock::time_point;

constexpr milliseconds kAcceptPause{100};  // when descriptors have run out
constexpr milliseconds kLastWords{1'000};  // for answers of cancelled calls to be written
constexpr milliseconds kKeepaliveTime{60'000}, kKeepaliveTimeout{20'000};

// How many there are, and a wait for none.
class Gauge {
 public:
  void Add(int change) {
    MutexLock lock(mutex_);
    count_ += change;
    if (count_ == 0) zero_.NotifyAll();
  }
  void WaitZero() {
    MutexLock lock(mutex_);
    while (count_ != 0) zero_.Wait(mutex_);
  }
  // False when `until` passed first.
  bool WaitZeroUntil(TimePoint until) {
    MutexLock lock(mutex_);
    while (count_ != 0) {
      if (!zero_.WaitUntil(mutex_, until) && std::chrono::steady_clock::now() >= until) return count_ == 0;
    }
    return true;
  }

 private:
  Mutex mutex_;
  CondVar zero_;
  int count_ GN_GUARDED_BY(mutex_) = 0;
};

// One client. Lives on the loop.
struct Peer {
  explicit Peer(EventLoop& loop) : age_timer(loop) {}
  std::shared_ptr<Http2Connection> connection;
  GrpcServerSession* session = nullptr;  // the connection's
  LoopTimer age_timer;
};

class GrpcServerImpl final : public GrpcServer {
 public:
  GrpcServerImpl(GrpcServerOptions options, std::map<std::string, GrpcHandler> methods, Interceptor interceptor,
                 Executor& executor)
      : options_(std::move(options)),
        methods_(std::move(methods)),
        interceptor_(std::move(interceptor)),
        executor_(executor),
        tls_contexts_({"h2"}) {}

  ~GrpcServerImpl() override {
    if (!loop_) return;
    Shutdown(milliseconds(0));
    loop_->Call([this] { accept_timer_.reset(); });
    loop_->Stop();
  }

  Status Listen() {
    GN_ASSIGN(loop_, EventLoop::Start("grpc-server"));
    GN_ASSIGN(int fd, ListenTcp(options_.address));
    port_ = LocalPort(fd);
    Status status;
    loop_->Call([&] {
      auto socket = LoopSocket::Adopt(*loop_, fd);
      if (!socket.ok()) {
        status = socket.status();
        return;
      }
      listener_ = *std::move(socket);
      accept_timer_ = std::make_unique<LoopTimer>(*loop_);
      WaitAccept();
    });
    return status;
  }

  int port() const override { return port_; }

  void Shutdown(milliseconds grace) override {
    auto until = std::chrono::steady_clock::now() + grace;
    loop_->Call([this] {
      listener_.reset();
      if (accept_timer_) accept_timer_->Cancel();
      for (Peer* peer : AllPeers()) {
        peer->session->Drain();
        peer->connection->Flush();
      }
    });
    calls_.WaitZeroUntil(until);
    source_.Stop(Status(Code::kUnavailable, "the server is stopping"));
    calls_.WaitZero();
    // What has been answered is on its way; idle clients that do not take their leave are not waited for.
    connections_.WaitZeroUntil(std::min(std::chrono::steady_clock::now() + kLastWords, std::max(until, Soon(grace))));
    CloseAll(true);
    connections_.WaitZeroUntil(until);
    CloseAll(false);
  }

 private:
  static TimePoint Soon(milliseconds grace) {
    return std::chrono::steady_clock::now() + (grace.count() > 0 ? kLastWords : milliseconds(0));
  }

  void CloseAll(bool only_idle) {
    loop_->Call([&] {
      for (Peer* peer : AllPeers()) {
        if (only_idle && peer->session->open_streams() > 0) continue;
        peer->connection->Close(Status(Code::kUnavailable, "the server has stopped"));
      }
    });
  }

  std::vector<Peer*> AllPeers() {
    std::vector<Peer*> out;
    out.reserve(peers_.size());
    for (const auto& peer : peers_) out.push_back(peer.get());
    return out;
  }

  void WaitAccept() {
    listener_->WaitReadable([this] { Accept(); });
  }

  void Accept() {
    while (true) {
      int fd = accept4(listener_->fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd >= 0) {
        Welcome(fd);
        continue;
      }
      if (errno == ECONNABORTED || errno == EINTR) continue;
      if (errno == EAGAIN) return WaitAccept();
      return accept_timer_->After(kAcceptPause, [this] { Accept(); });
    }
  }

  void Welcome(int fd) {
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    sockaddr_storage address{};
    socklen_t size = sizeof(address);
    getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size);
    std::string from = AddressText(address);
    auto socket = LoopSocket::Adopt(*loop_, fd);
    if (!socket.ok()) return;
    TlsContext tls;
    if (options_.tls) {
      auto asked = options_.tls();
      if (!asked.ok()) return;
      if (asked->has_value()) {
        auto context = tls_contexts_.Get(**asked);
        if (!context.ok()) return;
        tls = *context;
      }
    }
    Serve(*std::move(socket), tls, from);
  }

  void Serve(std::unique_ptr<LoopSocket> socket, const TlsContext& tls, const std::string& from) {
    Http2Options http2;
    http2.server = true;
    http2.window_bytes = static_cast<uint32_t>(std::min<size_t>(options_.window_bytes, 1u << 30));
    http2.connection_window_bytes = std::max(http2.connection_window_bytes, http2.window_bytes);
    http2.streams_max = static_cast<uint32_t>(options_.streams_max);
    GrpcServerSession::Services services;
    services.methods = &methods_;
    services.run = [this](std::shared_ptr<GrpcServerCallState> call, const GrpcHandler& handler) {
      Run(std::move(call), handler);
    };
    services.cancel = source_.cancel();
    services.message_bytes_max = options_.message_bytes_max;
    services.window_bytes = http2.window_bytes;
    services.calls_max = options_.streams_max * 2;
    services.keepalive_min_time = options_.keepalive_min_time;
    auto mailbox = std::make_shared<Http2Mailbox>(loop_.get());
    auto session = std::make_unique<GrpcServerSession>(http2, services, from, mailbox);

    Http2Connection::Options connection;
    connection.handshake_timeout = options_.handshake_timeout;
    connection.keepalive_time = kKeepaliveTime;
    connection.keepalive_timeout = kKeepaliveTimeout;
    connection.peer = from;
    auto owned = std::make_unique<Peer>(*loop_);
    Peer* peer = owned.get();
    peer->session = session.get();
    peer->connection = std::make_shared<Http2Connection>(*loop_, std::move(socket), std::move(session),
                                                         std::move(mailbox), std::move(connection));
    if (tls) peer->connection->stream().UseTls(tls);
    peers_.insert(std::move(owned));
    connections_.Add(1);
    LimitAge(peer);
    peer->connection->Start([] {}, [this, peer](const Status&) { Forget(peer); });
  }

  // After its age, spread by a tenth so that clients do not come back all at once, a connection is asked to end.
  void LimitAge(Peer* peer) {
    if (options_.max_connection_age.count() <= 0) return;
    std::uniform_real_distribution<double> spread(0.9, 1.1);
    auto age = std::chrono::duration_cast<milliseconds>(options_.max_connection_age * spread(random_));
    peer->age_timer.After(age, [this, peer] {
      if (options_.max_connection_age_grace.count() > 0) {
        peer->age_timer.After(options_.max_connection_age_grace, [peer] {
          peer->connection->Close(Status(Code::kUnavailable, "the connection is too old"));
        });
      }
      peer->session->Drain();
      peer->connection->Flush();
    });
  }

  void Forget(Peer* peer) {
    auto it = std::find_if(peers_.begin(), peers_.end(), [&](const auto& p) { return p.get() == peer; });
    if (it == peers_.end()) return;
    peers_.erase(it);
    connections_.Add(-1);
  }

  void Run(std::shared_ptr<GrpcServerCallState> call, const GrpcHandler& handler) {
    calls_.Add(1);
    executor_.Run([this, call = std::move(call), &handler]() mutable {
      GrpcStatus status;
      if (call->cancel().stopped()) {  // while it waited for a thread
        status = call->cancel().status();
      } else {
        status = interceptor_ ? interceptor_(*call, handler) : handler(*call);
      }
      call->Finish(std::move(status));
      call.reset();
      calls_.Add(-1);
    });
  }

  const GrpcServerOptions options_;
  const std::map<std::string, GrpcHandler> methods_;
  const Interceptor interceptor_;
  Executor& executor_;
  CancelSource source_;
  Gauge calls_, connections_;
  int port_ = 0;

  // On the loop.
  TlsServerContexts tls_contexts_;
  std::unique_ptr<LoopSocket> listener_;
  std::unique_ptr<LoopTimer> accept_timer_;
  std::set<std::unique_ptr<Peer>> peers_;
  std::minstd_rand random_{std::random_device{}()};
  std::unique_ptr<EventLoop> loop_;  // last: gone before what runs on it
};

}  // namespace

Result<std::unique_ptr<GrpcServer>> GrpcServer::Start(GrpcServerOptions options,
                                                      std::map<std::string, GrpcHandler> methods,
                                                      Interceptor interceptor, Executor& executor) {
  auto server =
      std::make_unique<GrpcServerImpl>(std::move(options), std::move(methods), std::move(interceptor), executor);
  GN_TRY(server->Listen());
  return std::unique_ptr<GrpcServer>(std::move(server));
}

}  // namespace gauntlet::net
