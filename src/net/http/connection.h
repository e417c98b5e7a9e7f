// HttpConnection: one client of an HttpServer, from its accept to its close.
//
//   handshake -> reading -> handling -> (reading | lingering) -> closed
//
// The loop reads requests and writes what handlers put into the bounded output; the handler runs on the executor. While
// it runs the loop goes on reading, so that a client that goes away ends the handler's Cancel.
// Threads: all on the loop's thread, but for RunHandler and ReplySink, which are the handler's.

#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include "base/cancel.h"
#include "base/mutex.h"
#include "net/event_loop.h"
#include "net/http/handler_gate.h"
#include "net/http/output_queue.h"
#include "net/http/reply_writer.h"
#include "net/http/request_parser.h"
#include "net/http/server.h"
#include "net/stream_socket.h"

namespace gauntlet::net {

class HttpConnection;

// What connections see of their server. Outlives what runs on the loop and what is inside the gate.
class HttpConnectionHost {
 public:
  virtual ~HttpConnectionHost() = default;
  virtual const HttpServerOptions& options() const = 0;
  virtual const HttpService& service() const = 0;
  virtual EventLoop& loop() = 0;
  virtual Executor& executor() = 0;
  virtual std::shared_ptr<HandlerGate> gate() = 0;
  virtual bool closing() const = 0;  // from any thread
  virtual void OnIdle() = 0;
  virtual void OnClosed(HttpConnection* connection) = 0;
};

class HttpConnection final : public ReplySink, public std::enable_shared_from_this<HttpConnection> {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  HttpConnection(HttpConnectionHost& host, std::unique_ptr<LoopSocket> socket, std::string remote_address);
  ~HttpConnection() override;

  // `tls` null = plain text.
  void Begin(const TlsContext& tls);
  // Before a handshake's end, between requests, or waiting for the client to close: may be closed at any time.
  bool idle() const;
  TimePoint idle_since() const { return idle_since_; }
  // Bytes have arrived that the loop has not read yet: what looks idle is about to be a request.
  bool HasUnread() const;
  // Ends the Cancel of the handler that runs, if one does.
  void CancelHandler(std::string_view why);
  // The server closes: an idle connection goes at once, one whose request is on its way gets little time.
  void OnClosing();
  void Close();

  Status Send(std::string head, std::string body) override;
  bool Closing() const override { return host_.closing(); }

 private:
  enum class Phase : uint8_t { kHandshake, kReading, kHandling, kLingering, kClosed };

  void StepHandshake();
  void BecomeReading();
  void WatchReads();
  void OnReadable();
  void OnInput(std::string_view bytes);
  void OnEof();
  void OnParsed();
  void Dispatch();
  void RunHandler(ReplyWriter::Options options);
  void Serve(ReplyWriter& reply);
  void OnReplyDone(bool keep_alive);
  void AnswerError(int status, std::string_view text);
  void FlushOutput();
  bool NextOutput();
  void WriteAtOnce() GN_REQUIRES(mutex_);
  void AfterReply();
  void Linger();
  void SetDeadline(std::chrono::milliseconds from_now);
  void SetRequestDeadline();
  void OnTimer();

  HttpConnectionHost& host_;
  const std::string remote_address_;
  std::unique_ptr<LoopSocket> socket_;
  std::unique_ptr<StreamSocket> stream_;
  std::unique_ptr<LoopTimer> timer_;
  RequestParser parser_;
  std::unique_ptr<CancelSource> cancel_;
  Phase phase_ = Phase::kHandshake;
  TimePoint idle_since_, deadline_ = TimePoint::max(), timer_at_ = TimePoint::max();
  TimePoint request_until_ = TimePoint::max();  // when the request must have arrived
  bool eof_ = false, watching_reads_ = false, waiting_writable_ = false;
  bool continue_sent_ = false, request_begun_ = false, reply_done_ = false, keep_alive_ = false;
  OutputQueue sending_;  // the loop's part of the output

  Mutex mutex_;
  CondVar room_;
  OutputQueue queued_ GN_GUARDED_BY(mutex_);      // the handler's part
  bool gone_ GN_GUARDED_BY(mutex_) = false;       // nothing can be sent any more
  bool flushing_ GN_GUARDED_BY(mutex_) = false;   // the loop has something to write, or knows of queued_
  bool last_part_ GN_GUARDED_BY(mutex_) = false;  // the end of the handler will tell it
};

}  // namespace gauntlet::net
