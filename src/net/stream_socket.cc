#include "net/stream_socket.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "base/check.h"

namespace gauntlet::net {

StreamSocket::~StreamSocket() { SSL_free(ssl_); }

void StreamSocket::UseTls(const TlsContext& context) {
  ssl_ = SSL_new(context.get());
  GN_CHECK(ssl_ != nullptr && SSL_set_fd(ssl_, fd_) == 1);
  SSL_set_accept_state(ssl_);
}

StreamSocket::Outcome StreamSocket::TlsOutcome(int result) {
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_NONE:
      return Outcome::kDone;
    case SSL_ERROR_WANT_READ:
      return Outcome::kWantRead;
    case SSL_ERROR_WANT_WRITE:
      return Outcome::kWantWrite;
    case SSL_ERROR_ZERO_RETURN:
      return Outcome::kEof;
    default:
      failed_ = true;
      got_plain_http_ = ERR_GET_REASON(ERR_peek_error()) == SSL_R_HTTP_REQUEST;
      ERR_clear_error();
      return Outcome::kError;
  }
}

StreamSocket::Outcome StreamSocket::Handshake() {
  ERR_clear_error();
  return TlsOutcome(SSL_do_handshake(ssl_));
}

std::optional<PeerCertificate> StreamSocket::peer() const {
  return ssl_ != nullptr ? TlsPeerCertificate(ssl_) : std::nullopt;
}

StreamSocket::Outcome StreamSocket::Read(char* buffer, size_t size, size_t* got) {
  *got = 0;
  if (ssl_ != nullptr) {
    ERR_clear_error();
    return TlsOutcome(SSL_read_ex(ssl_, buffer, size, got));
  }
  ssize_t n = recv(fd_, buffer, size, 0);
  if (n == 0) return Outcome::kEof;
  if (n < 0) return errno == EAGAIN || errno == EINTR ? Outcome::kWantRead : Outcome::kError;
  *got = static_cast<size_t>(n);
  return Outcome::kDone;
}

bool StreamSocket::holds_input() const { return ssl_ != nullptr && SSL_has_pending(ssl_) == 1; }

StreamSocket::Outcome StreamSocket::Write(std::string_view bytes, size_t* wrote) {
  *wrote = 0;
  if (ssl_ != nullptr) {
    ERR_clear_error();
    return TlsOutcome(SSL_write_ex(ssl_, bytes.data(), bytes.size(), wrote));
  }
  ssize_t n = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (n < 0) return errno == EAGAIN || errno == EINTR ? Outcome::kWantWrite : Outcome::kError;
  *wrote = static_cast<size_t>(n);
  return Outcome::kDone;
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
