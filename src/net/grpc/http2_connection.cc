#include "net/grpc/http2_connection.h"

#include <array>
#include <utility>

namespace gauntlet::net {
namespace {

constexpr size_t kReadBytes = 256 << 10;
constexpr int kReadsInARow = 8, kWritesInARow = 16;  // then the loop's other sockets have their turn
constexpr size_t kPiecesMax = 256;

// One per loop thread: a connection has nothing to read most of the time.
char* ReadBuffer() {
  thread_local std::unique_ptr<char[]> buffer(new char[kReadBytes]);
  return buffer.get();
}

}  // namespace

// ---- Http2Mailbox ---------------------------------------------------------------------------------------------------

void Http2Mailbox::Notify(int32_t stream) {
  MutexLock lock(mutex_);
  streams_.push_back(stream);
  if (posted_ || loop_ == nullptr) return;
  posted_ = true;
  loop_->Post([self = shared_from_this()] { self->Drain(); });
}

void Http2Mailbox::Drain() {
  std::vector<int32_t> streams;
  {
    MutexLock lock(mutex_);
    streams.swap(streams_);
    posted_ = false;
  }
  auto receiver = receiver_;  // it may be taken away while it runs
  if (receiver) receiver(streams);
}

// ---- Http2Connection ------------------------------------------------------------------------------------------------

Http2Connection::Http2Connection(EventLoop& loop, std::unique_ptr<LoopSocket> socket,
                                 std::unique_ptr<Http2Session> session, std::shared_ptr<Http2Mailbox> mailbox,
                                 Options options)
    : loop_(loop),
      socket_(std::move(socket)),
      stream_(socket_->fd()),
      session_(std::move(session)),
      mailbox_(std::move(mailbox)),
      options_(std::move(options)),
      handshake_timer_(loop),
      keepalive_timer_(loop) {}

void Http2Connection::Start(std::function<void()> on_settings, std::function<void(const Status&)> on_closed) {
  on_settings_ = std::move(on_settings);
  on_closed_ = std::move(on_closed);
  mailbox_->SetReceiver([this](const std::vector<int32_t>& streams) { OnMail(streams); });
  last_read_ = std::chrono::steady_clock::now();
  handshake_timer_.After(options_.handshake_timeout, [this] { Close(Lost("no HTTP/2 settings came in time")); });
  ContinueHandshake();
}

void Http2Connection::ContinueHandshake() {
  auto self = shared_from_this();
  switch (stream_.tls() ? stream_.Handshake() : StreamSocket::Outcome::kDone) {
    case StreamSocket::Outcome::kDone:
      connected_ = true;
      Flush();
      if (!closed_) WaitReadable();
      return;
    case StreamSocket::Outcome::kWantRead:
      return socket_->WaitReadable([self] { self->ContinueHandshake(); });
    case StreamSocket::Outcome::kWantWrite:
      return socket_->WaitWritable([self] { self->ContinueHandshake(); });
    case StreamSocket::Outcome::kEof:
      return Close(Lost("closed during the TLS handshake"));
    case StreamSocket::Outcome::kError:
      return Close(Lost("TLS handshake: " + stream_.error()));
  }
}

void Http2Connection::WaitReadable() {
  socket_->WaitReadable([self = shared_from_this()] { self->OnReadable(); });
}

void Http2Connection::WaitWritable() {
  if (waits_writable_) return;
  waits_writable_ = true;
  socket_->WaitWritable([self = shared_from_this()] {
    self->waits_writable_ = false;
    self->Flush();
  });
}

void Http2Connection::OnReadable() {
  auto self = shared_from_this();
  char* buffer = ReadBuffer();
  for (int i = 0; i < kReadsInARow; ++i) {
    size_t size = 0;
    switch (stream_.Read(buffer, kReadBytes, &size)) {
      case StreamSocket::Outcome::kDone:
        break;
      case StreamSocket::Outcome::kWantRead:
        return WaitReadable();
      case StreamSocket::Outcome::kWantWrite:  // TLS changes its keys
        return socket_->WaitWritable([self = shared_from_this()] {
          self->waits_writable_ = false;
          self->OnReadable();
        });
      case StreamSocket::Outcome::kEof:
        return Close(Lost("closed by the peer"));
      case StreamSocket::Outcome::kError:
        return Close(Lost(stream_.error()));
    }
    last_read_ = std::chrono::steady_clock::now();
    if (std::exchange(ping_outstanding_, false)) ArmKeepalive();
    Status status = session_->Receive(std::string_view(buffer, size));
    if (!status.ok()) {
      Flush();  // a last GOAWAY, if there is one
      if (!closed_) Close(status.Wrap(options_.peer));
      return;
    }
    if (on_settings_ && session_->settings_received()) {
      handshake_timer_.Cancel();
      ArmKeepalive();
      std::exchange(on_settings_, nullptr)();
    }
    Flush();  // windows open again, pings are answered
    if (closed_) return;
    if (size < kReadBytes && !stream_.tls()) return WaitReadable();
  }
  loop_.Post([self = shared_from_this()] {
    if (!self->closed_) self->OnReadable();
  });
}

void Http2Connection::Flush() {
  if (closed_ || !connected_ || waits_writable_ || flush_posted_) return;
  auto self = shared_from_this();
  std::array<iovec, kPiecesMax> pieces;
  for (int i = 0; i < kWritesInARow; ++i) {
    size_t count = session_->Gather(pieces.data(), pieces.size()), sent = 0;
    if (count == 0) {
      CloseIfDone();
      return;
    }
    switch (stream_.Write(pieces.data(), count, &sent)) {
      case StreamSocket::Outcome::kDone:
        session_->Sent(sent);
        break;
      case StreamSocket::Outcome::kWantRead:  // TLS changes its keys: what comes in goes on with it
      case StreamSocket::Outcome::kWantWrite:
        return WaitWritable();
      case StreamSocket::Outcome::kEof:
        return Close(Lost("closed by the peer"));
      case StreamSocket::Outcome::kError:
        return Close(Lost(stream_.error()));
    }
  }
  flush_posted_ = true;
  loop_.Post([self] {
    self->flush_posted_ = false;
    self->Flush();
  });
}

bool Http2Connection::CloseIfDone() {
  if (closing_) {
    Close(Lost("closed"));
  } else if (session_->done()) {
    Close(Lost(session_->error_text().empty() ? "closed" : "HTTP/2: " + session_->error_text()));
  }
  return closed_;
}

void Http2Connection::CloseWhenWritten() {
  closing_ = true;
  Flush();
}

void Http2Connection::Close(const Status& why) {
  if (std::exchange(closed_, true)) return;
  auto self = shared_from_this();
  handshake_timer_.Cancel();
  keepalive_timer_.Cancel();
  mailbox_->SetReceiver(nullptr);
  stream_.FinishWriting();
  socket_->Close();
  on_settings_ = nullptr;
  session_->OnConnectionLost(why);
  if (auto on_closed = std::exchange(on_closed_, nullptr)) on_closed(why);
}

void Http2Connection::OnMail(const std::vector<int32_t>& streams) {
  auto self = shared_from_this();
  for (int32_t stream : streams) session_->OnNotified(stream);
  Flush();
}

// Silence is counted from the last byte read. Pings are sent only while calls are open: servers take others as abuse.
void Http2Connection::ArmKeepalive() {
  if (options_.keepalive_time.count() <= 0) return;
  auto due = ping_outstanding_ ? options_.keepalive_timeout : options_.keepalive_time;
  auto base = ping_outstanding_ ? std::chrono::steady_clock::now() : last_read_;
  keepalive_timer_.At(base + due, [this] { OnKeepalive(); });
}

void Http2Connection::OnKeepalive() {
  auto now = std::chrono::steady_clock::now();
  if (ping_outstanding_) {
    return Close(
        Lost("no answer to a keep-alive ping in " + std::to_string(options_.keepalive_timeout.count()) + "ms"));
  }
  if (session_->open_streams() == 0) {
    keepalive_timer_.At(now + options_.keepalive_time, [this] { OnKeepalive(); });
    return;
  }
  if (now - last_read_ >= options_.keepalive_time) {
    ping_outstanding_ = true;
    session_->Ping();
    auto self = shared_from_this();
    Flush();
    if (closed_) return;
  }
  ArmKeepalive();
}

Status Http2Connection::Lost(const std::string& why) const {
  return Status(Code::kUnavailable, options_.peer + ": " + why);
}

}  // namespace gauntlet::net
