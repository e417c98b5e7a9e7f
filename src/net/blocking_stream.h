// BlockingStream: a connection that one thread reads and writes at a time, in plain text or through TLS, and waits on
// no longer than its cancel allows.
//
// Threads: one thread at a time, in a process that ignores SIGPIPE.           Owns: its socket.

#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/cancel.h"
#include "base/status.h"
#include "net/stream_socket.h"

namespace gauntlet::net {

class BlockingStream {
 public:
  // To "host:port", or to the Unix socket of a path. Without `tls` in plain text. kUnavailable "connect ADDRESS: why".
  static Result<std::unique_ptr<BlockingStream>> Connect(const std::string& address, const TlsClientOptions* tls,
                                                         const Cancel& cancel);
  ~BlockingStream();
  BlockingStream(const BlockingStream&) = delete;
  BlockingStream& operator=(const BlockingStream&) = delete;

  // After an error, the cancel's included, nothing more can be done with this.
  Status Write(std::string_view bytes, const Cancel& cancel);
  // At least one byte and at most `size`; kUnavailable "connection closed" at the end.
  Result<size_t> Read(char* to, size_t size, const Cancel& cancel);
  // Whether the peer has closed or sent something: then it cannot be used for another question.
  bool HasInput() const;

 private:
  BlockingStream(int fd, std::string address) : fd_(fd), address_(std::move(address)), socket_(fd) {}
  Status StartTls(const TlsClientOptions& options, const Cancel& cancel);
  // Until the socket can do what `outcome` wants.
  Status Wait(StreamSocket::Outcome outcome, const Cancel& cancel) const;
  Status Broken(StreamSocket::Outcome outcome, const Cancel& cancel) const;

  const int fd_;
  const std::string address_;
  StreamSocket socket_;
};

}  // namespace gauntlet::net
