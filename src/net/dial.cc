#include "net/dial.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/ip/tcp.hpp>
#include <cerrno>
#include <system_error>
#include <utility>
#include <vector>

#include "net/url.h"

namespace gauntlet::net {
namespace {

using boost::asio::ip::tcp;

std::string ErrorText(int number) {
  std::string text = std::system_category().message(number);
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] - 'A' + 'a');
  return text;
}

}  // namespace

class Dial::Rep : public std::enable_shared_from_this<Dial::Rep> {
 public:
  Rep(EventLoop& loop, const std::string& address, Done done)
      : loop_(loop), address_(address), done_(std::move(done)), resolver_(loop.context()), timer_(loop) {}

  void Start(std::chrono::milliseconds timeout) {
    timer_.After(timeout, [this] { End(Error(last_error_.empty() ? "timed out" : "timed out; " + last_error_)); });
    std::string host, port;
    Status split = SplitHostPort(address_, &host, &port);
    if (!split.ok()) return EndLater(split.Wrap("connect"));
    auto flags = tcp::resolver::numeric_service | tcp::resolver::address_configured;
    boost::system::error_code error;
    (void)boost::asio::ip::make_address(host, error);
    if (!error) flags = tcp::resolver::numeric_service | tcp::resolver::numeric_host;
    try {
      resolver_.async_resolve(
          host, port, flags,
          [self = shared_from_this()](boost::system::error_code failed, const tcp::resolver::results_type& found) {
            self->OnResolved(failed, found);
          });
    } catch (const std::exception& e) {  // no thread for it
      EndLater(Error(std::string("look up name: ") + e.what()));
    }
  }

  void Cancel() {
    done_ = nullptr;
    timer_.Cancel();
    resolver_.cancel();
    socket_.reset();
  }

 private:
  void OnResolved(boost::system::error_code failed, const tcp::resolver::results_type& found) {
    if (!done_) return;
    if (failed) return End(Error("look up name: " + failed.message()));
    for (const auto& entry : found) endpoints_.push_back(entry.endpoint());
    TryNext();
  }

  void TryNext() {
    socket_.reset();
    if (next_ == endpoints_.size()) return End(Error(last_error_.empty() ? "no address" : last_error_));
    const tcp::endpoint& endpoint = endpoints_[next_++];
    int fd = ::socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return Failed(errno);
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    int connected = ::connect(fd, endpoint.data(), static_cast<socklen_t>(endpoint.size()));
    int error = connected == 0 ? 0 : errno;
    auto socket = LoopSocket::Adopt(loop_, fd);
    if (!socket.ok()) return End(socket.status().Wrap("connect " + address_));
    socket_ = *std::move(socket);
    if (error != 0 && error != EINPROGRESS) return Failed(error);
    socket_->WaitWritable([this] { OnWritable(); });
  }

  void OnWritable() {
    int error = 0;
    socklen_t size = sizeof(error);
    getsockopt(socket_->fd(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return Failed(error);
    End(std::move(socket_));
  }

  // The next address has its turn from the loop: an endpoint that fails at once must not nest.
  void Failed(int error) {
    last_error_ = ErrorText(error);
    socket_.reset();
    loop_.Post([self = shared_from_this()] {
      if (self->done_) self->TryNext();
    });
  }

  Status Error(const std::string& why) const { return Status(Code::kUnavailable, "connect " + address_ + ": " + why); }

  void End(Result<std::unique_ptr<LoopSocket>> result) {
    auto self = shared_from_this();
    auto done = std::exchange(done_, nullptr);
    Cancel();
    if (done) done(std::move(result));
  }

  void EndLater(const Status& status) {
    loop_.Post([self = shared_from_this(), status] {
      if (self->done_) self->End(status);
    });
  }

  EventLoop& loop_;
  const std::string address_;
  Done done_;
  tcp::resolver resolver_;
  LoopTimer timer_;
  std::vector<tcp::endpoint> endpoints_;
  size_t next_ = 0;
  std::unique_ptr<LoopSocket> socket_;
  std::string last_error_;
};

Dial::Dial(EventLoop& loop, const std::string& address, std::chrono::milliseconds timeout, Done done)
    : rep_(std::make_shared<Rep>(loop, address, std::move(done))) {
  rep_->Start(timeout);
}

Dial::~Dial() { rep_->Cancel(); }

}  // namespace gauntlet::net
