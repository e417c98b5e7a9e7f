#include "net/http/server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <unordered_map>
#include <utility>

#include "base/mutex.h"
#include "net/event_loop.h"
#include "net/http/connection.h"
#include "net/socket.h"
#include "net/tls_context.h"

namespace gauntlet::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kAfterCancel{500};  // for cancelled handlers to say so to their clients
constexpr milliseconds kAcceptRetry{100};

class Server final : public HttpServer, public HttpConnectionHost {
 public:
  Server(HttpServerOptions options, HttpService service, Executor& executor, std::unique_ptr<EventLoop> loop)
      : options_(std::move(options)), service_(std::move(service)), executor_(executor), loop_(std::move(loop)) {}

  ~Server() override {
    closing_ = true;
    gate_->Close();
    loop_->Call([this] {
      StopListening();
      CloseAll([](const HttpConnection&) { return true; });
    });
    gate_->Wait();
    loop_->Stop();
  }

  Status Listen() {
    GN_ASSIGN(int fd, ListenTcp(options_.address));
    port_ = LocalPort(fd);
    Status status(Code::kInternal, "listen: the event loop has ended");
    loop_->Call([&] {
      // OpenSSL writes with write(2): a peer that has gone must not end the process.
      sigset_t pipe;
      sigemptyset(&pipe);
      sigaddset(&pipe, SIGPIPE);
      pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
      retry_ = std::make_unique<LoopTimer>(*loop_);
      auto socket = LoopSocket::Adopt(*loop_, fd);
      status = socket.status();
      if (!socket.ok()) return;
      listener_ = *std::move(socket);
      WatchAccepts();
    });
    return status;
  }

  int port() const override { return port_; }

  void Shutdown(milliseconds grace) override {
    closing_ = true;
    loop_->Call([this] {
      StopListening();
      for (auto& [at, connection] : Snapshot()) connection->OnClosing();
    });
    if (WaitUntilEmpty(steady_clock::now() + grace)) return;
    loop_->Call([this] {
      for (auto& [at, connection] : Snapshot()) connection->CancelHandler("the server is shutting down");
    });
    if (WaitUntilEmpty(steady_clock::now() + kAfterCancel)) return;
    loop_->Call([this] { CloseAll([](const HttpConnection&) { return true; }); });
  }

  const HttpServerOptions& options() const override { return options_; }
  const HttpService& service() const override { return service_; }
  EventLoop& loop() override { return *loop_; }
  Executor& executor() override { return executor_; }
  std::shared_ptr<HandlerGate> gate() override { return gate_; }
  bool closing() const override { return closing_; }
  void OnIdle() override {
    if (accept_paused_) WatchAccepts();
  }
  void OnClosed(HttpConnection* connection) override {
    connections_.erase(connection);
    SetLive(connections_.size());
    if (accept_paused_) WatchAccepts();
  }

 private:
  using Connections = std::unordered_map<HttpConnection*, std::shared_ptr<HttpConnection>>;

  void StopListening() {
    listener_.reset();
    retry_.reset();
  }

  Connections Snapshot() const { return connections_; }

  template <typename Which>
  void CloseAll(const Which& which) {
    for (auto& [at, connection] : Snapshot()) {
      if (which(*connection)) connection->Close();
    }
  }

  void SetLive(size_t live) {
    MutexLock lock(mutex_);
    live_ = live;
    if (live == 0) empty_.NotifyAll();
  }

  bool WaitUntilEmpty(steady_clock::time_point until) {
    MutexLock lock(mutex_);
    while (live_ > 0) {
      if (!empty_.WaitUntil(mutex_, until)) return live_ == 0;
    }
    return true;
  }

  void WatchAccepts() {
    accept_paused_ = false;
    if (listener_) listener_->WaitReadable([this] { Accept(); });
  }

  void Accept() {
    while (listener_) {
      if (connections_.size() >= options_.connections_max) {
        pollfd waiting{listener_->fd(), POLLIN, 0};
        if (poll(&waiting, 1, 0) != 1) return WatchAccepts();
        if (!CloseOldestIdle()) {
          accept_paused_ = true;
          return;
        }
      }
      sockaddr_storage address{};
      socklen_t size = sizeof address;
      int fd = accept4(listener_->fd(), reinterpret_cast<sockaddr*>(&address), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd >= 0) {
        Adopt(fd, AddressText(address));
      } else if (errno == EAGAIN) {
        return WatchAccepts();
      } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        if (CloseOldestIdle()) continue;
        return retry_->After(kAcceptRetry, [this] { WatchAccepts(); });
      }  // else: that connection was over before it was accepted
    }
  }

  bool CloseOldestIdle() {
    HttpConnection* oldest = nullptr;
    for (auto& [connection, owner] : connections_) {
      if (!connection->idle() || (oldest && connection->idle_since() >= oldest->idle_since())) continue;
      if (!connection->HasUnread()) oldest = connection;
    }
    if (oldest) oldest->Close();
    return oldest != nullptr;
  }

  void Adopt(int fd, std::string remote_address) {
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
    auto socket = LoopSocket::Adopt(*loop_, fd);
    if (!socket.ok()) return;
    TlsContext tls;
    if (options_.tls) {
      auto wanted = options_.tls();
      if (!wanted.ok()) return;
      if (wanted->has_value()) {
        auto context = tls_.Get(**wanted);
        if (!context.ok()) return;
        tls = *std::move(context);
      }
    }
    auto connection = std::make_shared<HttpConnection>(*this, *std::move(socket), std::move(remote_address));
    connections_[connection.get()] = connection;
    SetLive(connections_.size());
    connection->Begin(tls);
  }

  const HttpServerOptions options_;
  const HttpService service_;
  Executor& executor_;
  const std::shared_ptr<HandlerGate> gate_ = std::make_shared<HandlerGate>();
  std::atomic<bool> closing_{false};
  int port_ = 0;

  // The loop's thread only.
  TlsServerContexts tls_{{"http/1.1"}};
  std::unique_ptr<LoopSocket> listener_;
  std::unique_ptr<LoopTimer> retry_;
  bool accept_paused_ = false;
  Connections connections_;

  Mutex mutex_;
  CondVar empty_;
  size_t live_ GN_GUARDED_BY(mutex_) = 0;

  std::unique_ptr<EventLoop> loop_;  // last: its end destroys what is still queued
};

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::Start(HttpServerOptions options, HttpService service,
                                                      Executor& executor) {
  GN_ASSIGN(auto loop, EventLoop::Start("http"));
  auto server = std::make_unique<Server>(std::move(options), std::move(service), executor, std::move(loop));
  GN_TRY(server->Listen());
  return std::unique_ptr<HttpServer>(std::move(server));
}

}  // namespace gauntlet::net
