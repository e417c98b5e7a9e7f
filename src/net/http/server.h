// HttpServer: HTTP/1.1 with keep-alive, TLS, gzip, limits and time-outs, around one blocking handler.
//
// One event loop reads and writes; handlers run on the executor, one thread per request in progress, and block in
// HttpReply::Write while a client reads slowly.
// Threads: thread-safe. The handler is called from many threads.

#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/cancel.h"
#include "base/status.h"
#include "net/http/message.h"

namespace gauntlet {
class Executor;
}

namespace gauntlet::net {

// The Cancel ends when the client goes away, or at shutdown once the grace period is over.
using HttpHandler = std::function<void(const HttpRequest&, const Cancel&, HttpReply&)>;

// What a server calls: like HttpHandler (which it accepts), but it owns the request, so a router or a request id can be
// written into it on the way.
using HttpService = std::function<void(HttpRequest&, const Cancel&, HttpReply&)>;

struct HttpServerOptions {
  std::string address = "127.0.0.1:0";                // "host:port", ":port" = all; port 0 = any
  size_t header_bytes_max = 1 << 20;                  // Go's default
  size_t body_bytes_max = 64 << 20;                   // 413 above
  std::chrono::milliseconds read_timeout{30'000};     // for a request to arrive once begun
  std::chrono::milliseconds idle_timeout{120'000};    // between requests
  std::chrono::milliseconds write_timeout{120'000};   // without any progress of a blocked client
  std::chrono::milliseconds closing_patience{1'000};  // at shutdown, with a client that is still sending its request
  size_t connections_max = 512;  // above: the oldest idle one is closed, else the new one waits in the backlog
  std::function<Result<std::optional<TlsServerOptions>>()> tls;  // asked for each connection; nullopt = plain text
};

class HttpServer {
 public:
  // Listens at once. `executor` runs the handlers on threads of its own (not on the caller's) and must outlive the
  // server.
  static Result<std::unique_ptr<HttpServer>> Start(HttpServerOptions options, HttpService service, Executor& executor);
  // Stops at once what Shutdown has not: cancels the handlers that run and waits for them to return.
  virtual ~HttpServer() = default;
  virtual int port() const = 0;
  // Stops listening, lets requests in progress end for up to `grace`, then cancels them. One that has not arrived whole
  // is ended when nothing more of it comes within `closing_patience`.
  virtual void Shutdown(std::chrono::milliseconds grace) = 0;
};

}  // namespace gauntlet::net
