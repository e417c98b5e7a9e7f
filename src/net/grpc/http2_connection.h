// Http2Connection: a Http2Session on its socket: reads, writes, the TLS handshake, keep-alive pings, the end.
// Http2Mailbox: how the threads of calls tell the loop that a stream has news.
//
// Threads: Http2Connection belongs to the event loop; Http2Mailbox::Notify is for any thread.

#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "net/event_loop.h"
#include "net/grpc/http2_session.h"
#include "net/stream_socket.h"

namespace gauntlet::net {

class Http2Mailbox : public std::enable_shared_from_this<Http2Mailbox> {
 public:
  // `loop` may be null: then nothing is posted, and Drain is called by hand (tests of a session alone).
  explicit Http2Mailbox(EventLoop* loop) : loop_(loop) {}

  // Any thread, while the loop exists.
  void Notify(int32_t stream);
  // On the loop. `receiver` null = nobody listens any more.
  void SetReceiver(std::function<void(const std::vector<int32_t>&)> receiver) { receiver_ = std::move(receiver); }
  void Drain();

 private:
  EventLoop* const loop_;
  Mutex mutex_;
  std::vector<int32_t> streams_ GN_GUARDED_BY(mutex_);
  bool posted_ GN_GUARDED_BY(mutex_) = false;
  std::function<void(const std::vector<int32_t>&)> receiver_;
};

class Http2Connection : public std::enable_shared_from_this<Http2Connection> {
 public:
  struct Options {
    std::chrono::milliseconds handshake_timeout{10'000};  // until TLS is up and the peer's SETTINGS are here
    std::chrono::milliseconds keepalive_time{0};          // of silence, then a ping; 0 = none
    std::chrono::milliseconds keepalive_timeout{20'000};  // for anything to come after it
    std::string peer;                                     // opens every error text
  };

  Http2Connection(EventLoop& loop, std::unique_ptr<LoopSocket> socket, std::unique_ptr<Http2Session> session,
                  std::shared_ptr<Http2Mailbox> mailbox, Options options);
  // To turn TLS on, before Start.
  StreamSocket& stream() { return stream_; }

  // `on_settings` once the connection is usable; `on_closed` once, with what ended it, after the session has been told.
  void Start(std::function<void()> on_settings, std::function<void(const Status&)> on_closed);
  // Writes what the session has to say. To be called after anything was submitted from outside its events.
  void Flush();
  void Close(const Status& why);
  // Closes once everything submitted so far is written.
  void CloseWhenWritten();
  bool closed() const { return closed_; }
  Http2Session& session() { return *session_; }

 private:
  void ContinueHandshake();
  void OnReadable();
  void WaitReadable();
  void WaitWritable();
  void ArmKeepalive();
  void OnKeepalive();
  void OnMail(const std::vector<int32_t>& streams);
  // Closes if the session is over. True when closed.
  bool CloseIfDone();
  Status Lost(const std::string& why) const;

  EventLoop& loop_;
  const std::unique_ptr<LoopSocket> socket_;
  StreamSocket stream_;
  const std::unique_ptr<Http2Session> session_;
  const std::shared_ptr<Http2Mailbox> mailbox_;
  const Options options_;
  std::function<void()> on_settings_;
  std::function<void(const Status&)> on_closed_;
  LoopTimer handshake_timer_, keepalive_timer_;
  std::chrono::steady_clock::time_point last_read_;
  bool connected_ = false;  // the TLS handshake is over
  bool closed_ = false, closing_ = false, waits_writable_ = false, flush_posted_ = false, ping_outstanding_ = false;
};

}  // namespace gauntlet::net
