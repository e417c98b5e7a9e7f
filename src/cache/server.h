// Server: one cache server: connections that are kept between questions, and whether it is worth asking at all.
//
// A server that failed some times in a row is left alone for a while, so that a dead one costs those who would ask it
// nothing; then one question tries it.
//
// Threads: Server is thread-safe; a Connection is for one thread at a time.

#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/mutex.h"
#include "base/status.h"
#include "cache/reply_reader.h"
#include "net/blocking_stream.h"

namespace gauntlet::cache {

class Connection {
 public:
  explicit Connection(std::unique_ptr<net::BlockingStream> stream);

  Status Write(std::string_view bytes);
  ReplyReader& replies() { return replies_; }
  // Reads and writes work under this from now on.
  void Use(const Cancel& cancel) { cancel_ = cancel; }
  // A read or write failed.
  bool failed() const { return failed_; }
  // Nothing failed, and nothing came that was not asked for.
  bool reusable() const { return !failed_ && !replies_.holds_input(); }
  bool stale() const { return stream_->HasInput(); }

 private:
  const std::unique_ptr<net::BlockingStream> stream_;
  Cancel cancel_;
  bool failed_ = false;
  ReplyReader replies_;
};

struct ServerOptions {
  std::string address;
  std::optional<net::TlsClientOptions> tls;
  std::chrono::milliseconds dial_timeout{500};
  std::chrono::milliseconds timeout{500};  // of a question with its answer
  size_t idle_max = 100;                   // connections kept
  int failures_max = 3;                    // in a row, before it is left alone
  std::chrono::milliseconds rest_min{250}, rest_max{5000};
  // Said on a new connection before anything else; may be empty.
  std::function<Status(Connection&)> greet;
};

class Server {
 public:
  explicit Server(ServerOptions options) : options_(std::move(options)) {}

  // A question and its whole answer on one connection. An error of the exchange is returned; the connection is kept
  // unless it broke or the answer was none. May run twice when a kept connection turns out to be closed.
  using Exchange = std::function<Status(Connection&)>;
  Status Ask(const Exchange& exchange, const Cancel& cancel);
  const std::string& address() const { return options_.address; }

 private:
  using ConnectionPtr = std::unique_ptr<Connection>;

  Status CheckRest();
  ConnectionPtr TakeIdle();
  Result<ConnectionPtr> Connect(const Cancel& cancel);
  // Runs the exchange; puts the connection back if it is good.
  Status Run(ConnectionPtr connection, const Exchange& exchange, const Cancel& cancel, bool* broke);
  void Tell(bool failed);

  const ServerOptions options_;
  Mutex mutex_;
  std::vector<ConnectionPtr> idle_ GN_GUARDED_BY(mutex_);
  int failures_ GN_GUARDED_BY(mutex_) = 0;
  std::chrono::steady_clock::time_point rests_until_ GN_GUARDED_BY(mutex_);
};

}  // namespace gauntlet::cache
