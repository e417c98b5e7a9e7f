// StreamSocket: bytes in and out of a connected non-blocking socket, in plain text or through TLS as the server's side.
//
// Nothing here waits: what cannot go on says in which direction the socket must become ready.
// Threads: one thread at a time.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

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
  Outcome Handshake();
  // The handshake failed because the client speaks plain HTTP.
  bool got_plain_http() const { return got_plain_http_; }
  std::optional<PeerCertificate> peer() const;

  Outcome Read(char* buffer, size_t size, size_t* got);
  // TLS holds received bytes that the socket does not show as readable any more.
  bool holds_input() const;
  Outcome Write(std::string_view bytes, size_t* wrote);
  // Says that nothing more will be written; best effort.
  void FinishWriting();

 private:
  Outcome TlsOutcome(int result);

  const int fd_;
  ssl_st* ssl_ = nullptr;
  bool got_plain_http_ = false, failed_ = false;
};

}  // namespace gauntlet::net
