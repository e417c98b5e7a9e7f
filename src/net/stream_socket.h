// StreamSocket: bytes in and out of a connected non-blocking socket, in plain text or through TLS, as either side.
//
// Nothing here waits: what cannot go on says in which direction the socket must become ready.
// Threads: one thread at a time (but for WriteBeside), and one that ignores or blocks SIGPIPE (an event loop's does).

#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "net/tls.h"
#include "net/tls_context.h"

namespace gauntlet::net {

class StreamSocket {
 public:
  enum class Outcome : uint8_t { kDone, kWantRead, kWantWrite, kEof, kError };

  // Borrows `fd`.
  explicit StreamSocket(int fd) : fd_(fd) {}
  ~StreamSocket();
  StreamSocket(const StreamSocket&) = delete;
  StreamSocket& operator=(const StreamSocket&) = delete;

  // Before anything else for TLS; then Handshake until it is done.
  void UseTls(const TlsContext& context);
  // As the client, who asks for and verifies the name of SetTlsServerName.
  Status UseTlsAsClient(const TlsContext& context, const TlsClientOptions& options, const std::string& host);
  bool tls() const { return ssl_ != nullptr; }
  Outcome Handshake();
  // The handshake failed because the client speaks plain HTTP.
  bool got_plain_http() const { return got_plain_http_; }
  std::optional<PeerCertificate> peer() const;

  // As much as is there, up to `size`.
  Outcome Read(char* buffer, size_t size, size_t* got);
  // Bytes wait in here, so that the descriptor may never become readable for them.
  bool holds_input() const;
  Outcome Write(std::string_view bytes, size_t* wrote);
  // The pieces in order; some of their bytes may be left. Until kDone, the same bytes must be offered again.
  Outcome Write(const iovec* pieces, size_t count, size_t* wrote);
  // In plain text, beside another thread that reads: what went at once. Less, or nothing, where it would have to wait
  // or the connection is broken; that other thread will see.
  size_t WriteBeside(const iovec* pieces, size_t count) const;
  // Says that nothing more will be written; best effort.
  void FinishWriting();

  // What went wrong, after kError.
  const std::string& error() const { return error_; }

 private:
  Outcome TlsOutcome(int result);
  Outcome Failed(int error_number);

  const int fd_;
  ssl_st* ssl_ = nullptr;
  std::string joined_;  // pieces put together for TLS, until they are taken
  bool joined_begun_ = false;
  std::string error_;
  bool got_plain_http_ = false, failed_ = false;
};

}  // namespace gauntlet::net
