#include "net/http/connection.h"

#include <poll.h>

#include <algorithm>
#include <utility>

#include "base/executor.h"
#include "net/http/coding.h"
#include "net/text.h"

namespace gauntlet::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using Outcome = StreamSocket::Outcome;

constexpr size_t kOutputMax = 512 << 10;  // twice this, and the socket's buffer, wait for a slow client
constexpr size_t kReadAheadMax = 64 << 10;
constexpr int kReadsPerTurn = 16;  // then the loop serves others
constexpr size_t kWritePerTurn = 1 << 20;
constexpr size_t kPiecesPerWrite = 16;
constexpr milliseconds kLinger{5'000};

// Collects an answer made on the loop.
class LoopSink : public ReplySink {
 public:
  explicit LoopSink(OutputQueue& out) : out_(out) {}
  Status Send(std::string head, std::string body) override {
    out_.Append(std::move(head));
    out_.Append(std::move(body));
    return Status();
  }
  bool Closing() const override { return true; }

 private:
  OutputQueue& out_;
};

}  // namespace

// ---- life -----------------------------------------------------------------------------------------------------------

HttpConnection::HttpConnection(HttpConnectionHost& host, std::unique_ptr<LoopSocket> socket, std::string remote_address)
    : host_(host),
      remote_address_(std::move(remote_address)),
      socket_(std::move(socket)),
      stream_(std::make_unique<StreamSocket>(socket_->fd())),
      timer_(std::make_unique<LoopTimer>(host.loop())),
      parser_({host.options().header_bytes_max, host.options().body_bytes_max}),
      idle_since_(steady_clock::now()) {}

HttpConnection::~HttpConnection() = default;

void HttpConnection::Begin(const TlsContext& tls) {
  if (!tls) return BecomeReading();
  stream_->UseTls(tls);
  SetDeadline(host_.options().read_timeout);
  StepHandshake();
}

bool HttpConnection::idle() const {
  return phase_ == Phase::kHandshake || phase_ == Phase::kLingering ||
         (phase_ == Phase::kReading && parser_.state() == RequestParser::State::kIdle);
}

void HttpConnection::OnClosing() {
  if (idle()) return Close();
  if (phase_ == Phase::kReading) SetRequestDeadline();
}

bool HttpConnection::HasUnread() const {
  if (phase_ != Phase::kReading && phase_ != Phase::kHandshake) return false;
  pollfd waiting{socket_->fd(), POLLIN, 0};
  return poll(&waiting, 1, 0) == 1;
}

void HttpConnection::CancelHandler(std::string_view why) {
  if (cancel_) cancel_->Stop(Status(Code::kCancelled, std::string(why)));
}

void HttpConnection::Close() {
  if (phase_ == Phase::kClosed) return;
  auto self = shared_from_this();  // callbacks that go now may hold the last reference
  phase_ = Phase::kClosed;
  {
    MutexLock lock(mutex_);
    gone_ = true;
    room_.NotifyAll();
  }
  CancelHandler(host_.closing() ? "the server is shutting down" : "the client has gone");
  stream_.reset();
  socket_.reset();
  timer_.reset();
  host_.OnClosed(this);
}

void HttpConnection::StepHandshake() {
  Outcome outcome = stream_->Handshake();
  if (outcome == Outcome::kDone) return BecomeReading();
  auto again = [self = shared_from_this()] { self->StepHandshake(); };
  if (outcome == Outcome::kWantRead) return socket_->WaitReadable(again);
  if (outcome == Outcome::kWantWrite) return socket_->WaitWritable(again);
  if (stream_->got_plain_http()) {
    stream_ = std::make_unique<StreamSocket>(socket_->fd());
    size_t wrote;
    stream_->Write("HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n", &wrote);
    return Linger();
  }
  Close();
}

void HttpConnection::SetDeadline(milliseconds from_now) {
  deadline_ = from_now.count() > 0 ? steady_clock::now() + from_now : TimePoint::max();
  if (deadline_ >= timer_at_) return;  // the alarm that is set will look again
  timer_at_ = deadline_;
  timer_->At(deadline_, [self = shared_from_this()] { self->OnTimer(); });
}

void HttpConnection::SetRequestDeadline() {
  const TimePoint now = steady_clock::now();
  TimePoint until = request_until_;
  if (host_.closing()) until = std::min(until, now + host_.options().closing_patience);
  if (until == TimePoint::max()) return SetDeadline(milliseconds(0));
  SetDeadline(std::max(std::chrono::ceil<milliseconds>(until - now), milliseconds(1)));
}

void HttpConnection::OnTimer() {
  timer_at_ = TimePoint::max();
  if (steady_clock::now() < deadline_) {
    if (deadline_ == TimePoint::max()) return;
    timer_at_ = deadline_;
    return timer_->At(deadline_, [self = shared_from_this()] { self->OnTimer(); });
  }
  bool in_request = phase_ == Phase::kReading && parser_.state() != RequestParser::State::kIdle;
  if (in_request && !waiting_writable_) return AnswerError(408, "the request did not arrive in time");
  Close();
}

// ---- reading --------------------------------------------------------------------------------------------------------

void HttpConnection::BecomeReading() {
  phase_ = Phase::kReading;
  continue_sent_ = request_begun_ = reply_done_ = false;
  if (parser_.state() == RequestParser::State::kIdle) {
    idle_since_ = steady_clock::now();
    SetDeadline(host_.options().idle_timeout);
  }
  OnParsed();
  if (phase_ == Phase::kHandling && parser_.buffered() < kReadAheadMax) WatchReads();
  if (phase_ != Phase::kReading) return;
  if (eof_ || (host_.closing() && idle())) return Close();
  WatchReads();
  if (idle()) host_.OnIdle();
}

void HttpConnection::WatchReads() {
  if (watching_reads_ || eof_) return;
  watching_reads_ = true;
  auto ready = [self = shared_from_this()] {
    self->watching_reads_ = false;
    if (self->phase_ != Phase::kClosed) self->OnReadable();
  };
  if (stream_->holds_input()) return host_.loop().Post(std::move(ready));
  socket_->WaitReadable(std::move(ready));
}

void HttpConnection::OnReadable() {
  thread_local std::string scratch(64 << 10, '\0');
  for (int turn = 0; turn < kReadsPerTurn && phase_ != Phase::kClosed; ++turn) {
    if (phase_ == Phase::kHandling && parser_.buffered() >= kReadAheadMax) return;  // AfterReply goes on
    size_t got;
    switch (stream_->Read(scratch.data(), scratch.size(), &got)) {
      case Outcome::kDone:
        OnInput(std::string_view(scratch).substr(0, got));
        break;
      case Outcome::kWantRead:
      case Outcome::kWantWrite:  // TLS 1.3 key updates only; the answer's writes take it along
        return WatchReads();
      case Outcome::kEof:
        return OnEof();
      case Outcome::kError:
        return Close();
    }
  }
  if (phase_ == Phase::kClosed || watching_reads_) return;
  watching_reads_ = true;
  host_.loop().Post([self = shared_from_this()] {
    self->watching_reads_ = false;
    if (self->phase_ != Phase::kClosed) self->OnReadable();
  });
}

void HttpConnection::OnInput(std::string_view bytes) {
  if (phase_ == Phase::kLingering) return;
  parser_.Feed(bytes);
  if (phase_ == Phase::kReading) OnParsed();
}

void HttpConnection::OnEof() {
  eof_ = true;
  if (phase_ != Phase::kHandling) return Close();
  // As in Go, a client that sends no more has gone, even if it might still read; unless it has pipelined a request.
  if (parser_.buffered() == 0) CancelHandler("the client has gone");
}

void HttpConnection::OnParsed() {
  using State = RequestParser::State;
  switch (parser_.state()) {
    case State::kIdle:
      return;
    case State::kHead:
    case State::kBody:
      if (!request_begun_) {
        request_begun_ = true;
        const milliseconds within = host_.options().read_timeout;
        request_until_ = within.count() > 0 ? steady_clock::now() + within : TimePoint::max();
        SetRequestDeadline();
      } else if (host_.closing()) {
        SetRequestDeadline();
      }
      if (parser_.state() == State::kBody && parser_.expects_continue() && !continue_sent_) {
        continue_sent_ = true;
        sending_.Append("HTTP/1.1 100 Continue\r\n\r\n");
        {
          MutexLock lock(mutex_);
          flushing_ = true;  // what the handler writes goes behind it
        }
        FlushOutput();
      }
      return;
    case State::kComplete:
      return Dispatch();
    case State::kFailed:
      return AnswerError(parser_.error_status(), parser_.error_text());
  }
}

// ---- handling -------------------------------------------------------------------------------------------------------

void HttpConnection::Dispatch() {
  phase_ = Phase::kHandling;
  SetDeadline(milliseconds(0));
  HttpRequest& request = parser_.request();
  request.remote_address = remote_address_;
  request.peer = stream_->peer();
  cancel_ = std::make_unique<CancelSource>();
  {
    MutexLock lock(mutex_);
    last_part_ = false;
  }
  ReplyWriter::Options options{.head = request.method == "HEAD",
                               .http10 = parser_.http10(),
                               .keep_alive = parser_.keep_alive(),
                               .gzip = AcceptsGzip(request.headers.Get("Accept-Encoding"))};
  host_.executor().Run([self = shared_from_this(), gate = host_.gate(), options] {
    if (!gate->Enter()) return;  // the server has gone, and has closed this connection
    self->RunHandler(options);
    gate->Leave();
  });
}

void HttpConnection::RunHandler(ReplyWriter::Options options) {
  ReplyWriter reply(options, *this);
  try {
    Serve(reply);
  } catch (...) {  // a library's: it costs this answer, not the server
    if (!reply.Replace(500, "internal error")) reply.Abort();
  }
  {
    MutexLock lock(mutex_);
    last_part_ = true;
  }
  reply.Finish();
  host_.loop().Post([self = shared_from_this(), keep_alive = reply.keep_alive()] { self->OnReplyDone(keep_alive); });
}

void HttpConnection::Serve(ReplyWriter& reply) {
  HttpRequest& request = parser_.request();
  std::string_view coding = request.headers.Get("Content-Encoding");
  if (!request.body.empty() && (SameToken(coding, "gzip") || SameToken(coding, "deflate"))) {
    auto body = DecodeContent(coding, request.body, host_.options().body_bytes_max);
    if (!body.ok()) {
      int status = body.status().code() == Code::kExhausted ? 413 : 400;
      reply.Replace(status, body.status().message());
      return;
    }
    request.body = *std::move(body);
    request.headers.Remove("Content-Encoding");
    request.headers.Remove("Content-Length");
  }
  host_.service()(request, cancel_->cancel(), reply);
}

void HttpConnection::OnReplyDone(bool keep_alive) {
  if (phase_ == Phase::kClosed) return;
  reply_done_ = true;
  keep_alive_ = keep_alive;
  FlushOutput();
}

void HttpConnection::AnswerError(int status, std::string_view text) {
  phase_ = Phase::kHandling;
  LoopSink sink(sending_);
  ReplyWriter reply({.head = false, .http10 = false, .keep_alive = false, .gzip = false}, sink);
  reply.Replace(status, std::string(HttpStatusText(status)) + ": " + std::string(text));
  reply.Finish();
  OnReplyDone(false);
}

// ---- writing --------------------------------------------------------------------------------------------------------

Status HttpConnection::Send(std::string head, std::string body) {
  MutexLock lock(mutex_);
  const size_t bytes = head.size() + body.size();
  while (!gone_ && !queued_.empty() && queued_.bytes() + bytes > kOutputMax) room_.Wait(mutex_);
  if (gone_) return {Code::kUnavailable, "the client has gone"};
  queued_.Append(std::move(head));
  queued_.Append(std::move(body));
  if (flushing_ || last_part_) return Status();
  WriteAtOnce();
  if (queued_.empty()) return Status();
  flushing_ = true;
  host_.loop().Post([self = shared_from_this()] { self->FlushOutput(); });
  return Status();
}

// What fits the socket goes from the handler's thread: the loop has nothing to write, and it closes the stream only
// once it could say so under the lock. That spares a large answer two switches of threads for each of its pieces.
void HttpConnection::WriteAtOnce() {
  if (stream_->tls()) return;
  for (size_t wrote = 1; wrote > 0 && !queued_.empty();) {
    iovec pieces[kPiecesPerWrite];
    wrote = stream_->WriteBeside(pieces, queued_.Gather(pieces, kPiecesPerWrite));
    queued_.Drop(wrote);
  }
}

// Takes what handlers queued once the loop's part is sent; false when there is nothing.
bool HttpConnection::NextOutput() {
  if (!sending_.empty()) return true;
  MutexLock lock(mutex_);
  flushing_ = !queued_.empty();
  std::swap(sending_, queued_);
  room_.NotifyAll();
  return flushing_;
}

void HttpConnection::FlushOutput() {
  if (phase_ == Phase::kClosed || waiting_writable_) return;
  for (size_t turn_bytes = 0; NextOutput();) {
    if (turn_bytes >= kWritePerTurn) {  // a stream whose client keeps up would never let the loop go
      if (phase_ == Phase::kHandling) SetDeadline(host_.options().write_timeout);
      return host_.loop().Post([self = shared_from_this()] { self->FlushOutput(); });
    }
    iovec pieces[kPiecesPerWrite];
    size_t wrote;
    Outcome outcome = stream_->Write(pieces, sending_.Gather(pieces, kPiecesPerWrite), &wrote);
    sending_.Drop(wrote);
    turn_bytes += wrote;
    if (outcome == Outcome::kDone) continue;
    if (outcome != Outcome::kWantWrite) return Close();
    waiting_writable_ = true;
    if (phase_ == Phase::kHandling) SetDeadline(host_.options().write_timeout);
    socket_->WaitWritable([self = shared_from_this()] {
      self->waiting_writable_ = false;
      self->FlushOutput();
    });
    return;
  }
  if (phase_ != Phase::kHandling) return;
  SetDeadline(milliseconds(0));
  if (reply_done_) AfterReply();
}

void HttpConnection::AfterReply() {
  cancel_.reset();
  sending_ = OutputQueue();
  if (!keep_alive_) return Linger();
  parser_.Next();
  BecomeReading();
}

// Closing with unread bytes would make the kernel send a reset, which can destroy the answer before the client reads
// it.
void HttpConnection::Linger() {
  phase_ = Phase::kLingering;
  stream_->FinishWriting();
  if (eof_) return Close();
  idle_since_ = steady_clock::now();
  SetDeadline(host_.closing() ? std::min(kLinger, host_.options().closing_patience) : kLinger);
  host_.OnIdle();
  if (phase_ == Phase::kLingering) WatchReads();
}

}  // namespace gauntlet::net
