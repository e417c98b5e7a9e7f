// Addresses are looked up and tried by Dial on the loop of the process's clients; the connected socket is then taken
// from the loop, as a copy of its descriptor, and waited on with poll.

#include "net/blocking_stream.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <utility>

#include "base/mutex.h"
#include "net/dial.h"
#include "net/event_loop.h"
#include "net/socket.h"
#include "net/url.h"

namespace gauntlet::net {
namespace {

using Outcome = StreamSocket::Outcome;
constexpr std::chrono::seconds kDialMax{60};

std::chrono::milliseconds TimeLeft(const Cancel& cancel) {
  auto left =
      std::chrono::ceil<std::chrono::milliseconds>(cancel.DeadlineOr(kDialMax) - std::chrono::steady_clock::now());
  return std::max(left, std::chrono::milliseconds(0));
}

// What a dial under way and its waiter share.
struct Dialing {
  Mutex mutex;
  CondVar changed;
  std::optional<Result<int>> fd GN_GUARDED_BY(mutex);
  std::unique_ptr<Dial> dial;  // the loop's
};

Result<int> DialTcp(const std::string& address, const Cancel& cancel) {
  GN_ASSIGN(std::shared_ptr<EventLoop> loop, EventLoop::Shared());
  auto dialing = std::make_shared<Dialing>();
  auto take = [dialing](Result<std::unique_ptr<LoopSocket>> socket) {
    Result<int> fd = socket.status();
    if (socket.ok()) {
      fd = fcntl((*socket)->fd(), F_DUPFD_CLOEXEC, 0);
      if (*fd < 0) fd = SocketError(Code::kUnavailable, "copy a descriptor");
    }
    MutexLock lock(dialing->mutex);
    dialing->fd = std::move(fd);
    dialing->changed.NotifyAll();
  };
  loop->Post([&loop = *loop, dialing, address, take, timeout = TimeLeft(cancel)] {
    dialing->dial = std::make_unique<Dial>(loop, address, timeout, take);
  });
  auto registration = cancel.OnStop([dialing] {
    MutexLock lock(dialing->mutex);
    dialing->changed.NotifyAll();
  });
  Status stopped;
  {
    MutexLock lock(dialing->mutex);
    while (!dialing->fd && (stopped = cancel.status()).ok())
      dialing->changed.WaitUntil(dialing->mutex, cancel.DeadlineOr(kDialMax));
  }
  // Ended on the loop, so that nothing comes after it.
  if (!loop->Call([dialing] { dialing->dial.reset(); })) return Status(Code::kUnavailable, "the loop of clients ended");
  MutexLock lock(dialing->mutex);
  if (dialing->fd) return *std::move(dialing->fd);
  return std::move(stopped).Wrap("connect " + address);
}

Result<int> DialUnix(const std::string& path) {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (path.size() >= sizeof(to.sun_path)) return Status(Code::kInvalid, "connect " + path + ": the path is too long");
  std::memcpy(to.sun_path, path.data(), path.size());
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return SocketError(Code::kUnavailable, "connect " + path);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0) return fd;
  Status failed = SocketError(Code::kUnavailable, "connect " + path);
  close(fd);
  return failed;
}

}  // namespace

Result<std::unique_ptr<BlockingStream>> BlockingStream::Connect(const std::string& address, const TlsClientOptions* tls,
                                                                const Cancel& cancel) {
  GN_ASSIGN(int fd, address.starts_with('/') ? DialUnix(address) : DialTcp(address, cancel));
  std::unique_ptr<BlockingStream> stream(new BlockingStream(fd, address));
  if (tls != nullptr) GN_TRY(stream->StartTls(*tls, cancel).Wrap("connect " + address));
  return stream;
}

BlockingStream::~BlockingStream() { close(fd_); }

Status BlockingStream::StartTls(const TlsClientOptions& options, const Cancel& cancel) {
  GN_ASSIGN(TlsContext context, MakeTlsClientContext(options, {}));
  std::string host = address_, port;
  if (!address_.starts_with('/')) GN_TRY(SplitHostPort(address_, &host, &port));
  GN_TRY(socket_.UseTlsAsClient(context, options, host));
  while (true) {
    Outcome outcome = socket_.Handshake();
    if (outcome == Outcome::kDone) return Status();
    if (outcome == Outcome::kError || outcome == Outcome::kEof) return Broken(outcome, cancel);
    GN_TRY(Wait(outcome, cancel));
  }
}

Status BlockingStream::Wait(Outcome outcome, const Cancel& cancel) const {
  // A stop shuts the connection down, which wakes the poll.
  auto registration = cancel.OnStop([fd = fd_] { shutdown(fd, SHUT_RDWR); });
  GN_TRY(cancel.status());
  pollfd polled{fd_, static_cast<short>(outcome == Outcome::kWantWrite ? POLLOUT : POLLIN), 0};
  int ready = poll(&polled, 1, static_cast<int>(TimeLeft(cancel).count()));
  if (ready < 0 && errno != EINTR) return SocketError(Code::kUnavailable, "wait for " + address_);
  return cancel.status();
}

Status BlockingStream::Broken(Outcome outcome, const Cancel& cancel) const {
  GN_TRY(cancel.status());
  return Status(Code::kUnavailable, outcome == Outcome::kEof ? "connection closed" : socket_.error());
}

Status BlockingStream::Write(std::string_view bytes, const Cancel& cancel) {
  while (!bytes.empty()) {
    size_t wrote = 0;
    Outcome outcome = socket_.Write(bytes, &wrote);
    bytes.remove_prefix(wrote);
    if (outcome == Outcome::kDone) continue;
    if (outcome == Outcome::kError || outcome == Outcome::kEof) return Broken(outcome, cancel);
    GN_TRY(Wait(outcome, cancel));
  }
  return Status();
}

Result<size_t> BlockingStream::Read(char* to, size_t size, const Cancel& cancel) {
  while (true) {
    size_t got = 0;
    Outcome outcome = socket_.Read(to, size, &got);
    if (outcome == Outcome::kDone) return got;
    if (outcome == Outcome::kError || outcome == Outcome::kEof) return Broken(outcome, cancel);
    GN_TRY(Wait(outcome, cancel));
  }
}

bool BlockingStream::HasInput() const {
  pollfd polled{fd_, POLLIN, 0};
  return socket_.holds_input() || poll(&polled, 1, 0) != 0;
}

}  // namespace gauntlet::net
