#include "net/stream_socket.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "base/check.h"

namespace gauntlet::net {
namespace {

constexpr size_t kTlsRecordBytes = 16 << 10;
constexpr size_t kPiecesPerWrite = 256;

ssize_t SendPieces(int fd, const iovec* pieces, size_t count) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(pieces);
  message.msg_iovlen = std::min(count, kPiecesPerWrite);
  return sendmsg(fd, &message, MSG_NOSIGNAL);
}

}  // namespace

StreamSocket::~StreamSocket() { SSL_free(ssl_); }

void StreamSocket::UseTls(const TlsContext& context) {
  ssl_ = SSL_new(context.get());
  GN_CHECK(ssl_ != nullptr && SSL_set_fd(ssl_, fd_) == 1);
  SSL_set_accept_state(ssl_);
}

Status StreamSocket::UseTlsAsClient(const TlsContext& context, const TlsClientOptions& options,
                                    const std::string& host) {
  UseTls(context);
  SSL_set_connect_state(ssl_);
  return SetTlsServerName(ssl_, options, host);
}

StreamSocket::Outcome StreamSocket::Failed(int error_number) {
  failed_ = true;
  error_ = std::system_category().message(error_number);
  return Outcome::kError;
}

StreamSocket::Outcome StreamSocket::TlsOutcome(int result) {
  int error_number = errno;
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_NONE:
      return Outcome::kDone;
    case SSL_ERROR_WANT_READ:
      return Outcome::kWantRead;
    case SSL_ERROR_WANT_WRITE:
      return Outcome::kWantWrite;
    case SSL_ERROR_ZERO_RETURN:
      return Outcome::kEof;
    case SSL_ERROR_SYSCALL:
      if (ERR_peek_error() == 0 && error_number != 0) return Failed(error_number);
      [[fallthrough]];
    default:
      failed_ = true;
      got_plain_http_ = ERR_GET_REASON(ERR_peek_error()) == SSL_R_HTTP_REQUEST;
      error_ = TlsErrorText(ssl_);
      return Outcome::kError;
  }
}

StreamSocket::Outcome StreamSocket::Handshake() {
  ERR_clear_error();
  errno = 0;
  return TlsOutcome(SSL_do_handshake(ssl_));
}

std::optional<PeerCertificate> StreamSocket::peer() const {
  return ssl_ != nullptr ? TlsPeerCertificate(ssl_) : std::nullopt;
}

StreamSocket::Outcome StreamSocket::Read(char* buffer, size_t size, size_t* got) {
  *got = 0;
  if (ssl_ != nullptr) {
    // OpenSSL gives one record at most: go on while another may fit.
    Outcome outcome = Outcome::kDone;
    do {
      ERR_clear_error();
      errno = 0;
      size_t part = 0;
      outcome = TlsOutcome(SSL_read_ex(ssl_, buffer + *got, size - *got, &part));
      *got += part;
    } while (outcome == Outcome::kDone && size - *got >= kTlsRecordBytes);
    return *got > 0 && outcome != Outcome::kError ? Outcome::kDone : outcome;
  }
  ssize_t n = recv(fd_, buffer, size, 0);
  if (n == 0) return Outcome::kEof;
  if (n < 0) return errno == EAGAIN || errno == EINTR ? Outcome::kWantRead : Failed(errno);
  *got = static_cast<size_t>(n);
  return Outcome::kDone;
}

bool StreamSocket::holds_input() const { return ssl_ != nullptr && SSL_has_pending(ssl_) == 1; }

StreamSocket::Outcome StreamSocket::Write(std::string_view bytes, size_t* wrote) {
  *wrote = 0;
  if (ssl_ != nullptr) {
    ERR_clear_error();
    errno = 0;
    return TlsOutcome(SSL_write_ex(ssl_, bytes.data(), bytes.size(), wrote));
  }
  ssize_t n = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (n < 0) return errno == EAGAIN || errno == EINTR ? Outcome::kWantWrite : Failed(errno);
  *wrote = static_cast<size_t>(n);
  return Outcome::kDone;
}

size_t StreamSocket::WriteBeside(const iovec* pieces, size_t count) const {
  const ssize_t n = SendPieces(fd_, pieces, count);
  return n > 0 ? static_cast<size_t>(n) : 0;
}

StreamSocket::Outcome StreamSocket::Write(const iovec* pieces, size_t count, size_t* wrote) {
  *wrote = 0;
  if (ssl_ == nullptr) {
    const ssize_t n = SendPieces(fd_, pieces, count);
    if (n < 0) return errno == EAGAIN || errno == EINTR ? Outcome::kWantWrite : Failed(errno);
    *wrote = static_cast<size_t>(n);
    return Outcome::kDone;
  }
  // One record at a time; one that OpenSSL has begun must be offered again unchanged.
  for (size_t i = 0; i < count && joined_.size() < kTlsRecordBytes && !joined_begun_; ++i) {
    joined_.append(static_cast<const char*>(pieces[i].iov_base),
                   std::min(pieces[i].iov_len, kTlsRecordBytes - joined_.size()));
  }
  joined_begun_ = true;
  Outcome outcome = Write(joined_, wrote);
  if (outcome == Outcome::kDone) {
    joined_.erase(0, *wrote);
    joined_begun_ = !joined_.empty();
  }
  return outcome;
}

void StreamSocket::FinishWriting() {
  if (ssl_ != nullptr && !failed_ && SSL_is_init_finished(ssl_)) {
    ERR_clear_error();
    SSL_shutdown(ssl_);
    ERR_clear_error();
  }
  shutdown(fd_, SHUT_WR);
}

}  // namespace gauntlet::net
