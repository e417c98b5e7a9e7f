// Http2Session: one end of an HTTP/2 connection without its socket: bytes in, events out, and slices to be written.
//
// A wrapper of nghttp2 that copies no payload: what comes in is seen where it was read, what goes out is a list of
// slices of the callers' buffers. Flow control is by hand: a stream's window opens again only by Consume(), the
// connection's at once (so that a stream nobody reads cannot hold up the others; memory is bounded per stream).
// Format:  RFC 9113
// Threads: one at a time (the event loop's).

#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/status.h"

struct nghttp2_session;

namespace gauntlet::net {

using Http2Headers = std::vector<std::pair<std::string, std::string>>;
// The first value of a name, or "".
std::string_view HeaderOf(const Http2Headers& headers, std::string_view name);

// The codes of RST_STREAM and GOAWAY that mean something to us.
enum Http2Error : uint32_t { kNoError = 0, kRefusedStream = 7, kCancelStream = 8, kEnhanceYourCalm = 11 };

// Bytes to be written, and what keeps them alive.
struct Http2Slice {
  std::shared_ptr<const std::string> owner;
  size_t offset = 0, size = 0;
};

struct Http2Options {
  bool server = false;
  uint32_t window_bytes = 1 << 20;              // of each stream
  uint32_t connection_window_bytes = 16 << 20;  // in flight over all streams
  uint32_t streams_max = 1000;                  // that the peer may open at once
  size_t headers_bytes_max = 256 << 10;         // of one block
  size_t output_bytes_max = 256 << 10;          // framed ahead of the socket
};

class Http2Session {
 public:
  explicit Http2Session(const Http2Options& options);
  virtual ~Http2Session();
  Http2Session(const Http2Session&) = delete;
  Http2Session& operator=(const Http2Session&) = delete;

  // Takes bytes from the peer. An error ends the connection (a protocol error that the peer is told of by GOAWAY is
  // none yet: then done() comes true once that is written).
  virtual Status Receive(std::string_view bytes);
  // Lists up to `max` pieces of what is to be written next; 0 when there is nothing.
  size_t Gather(iovec* out, size_t max);
  // The first `bytes` of what Gather lists have been written.
  void Sent(size_t bytes);
  // Nothing is left to read or write: the connection is over.
  bool done() const;

  // A stream asked to be looked at (Http2Mailbox).
  virtual void OnNotified(int32_t stream) = 0;
  // The connection is gone: every stream ends with `why`. Called once.
  virtual void OnConnectionLost(const Status& why) = 0;

  // Asks the peer to open no more streams: it is told the last one only by GoAway, so that none on its way is lost.
  void AnnounceShutdown();
  // No stream after the last one seen is served; with `at_once`, those before end too.
  void GoAway(uint32_t error, std::string_view text, bool at_once = false);
  void Ping();
  bool goaway_sent() const { return goaway_sent_; }
  bool settings_received() const { return settings_received_; }
  // Calls that have not ended.
  virtual size_t open_streams() const = 0;
  // Why nghttp2 gave up on the peer, in its words; "" while it has not.
  const std::string& error_text() const { return error_text_; }

 protected:
  // What a stream has to send: `bytes` now; with none, either its body is at the `end`, or it will call ResumeOutput.
  struct Output {
    size_t bytes = 0;
    bool end = false;       // after these bytes
    bool trailers = false;  // at the end: OnOutputEnd submits them
  };

  // -1 when no more streams may be opened on this connection.
  int32_t SubmitRequest(const Http2Headers& headers);
  void SubmitResponse(int32_t stream, const Http2Headers& headers, bool has_body);
  void SubmitTrailers(int32_t stream, const Http2Headers& trailers);
  void Reset(int32_t stream, uint32_t error);
  void ResumeOutput(int32_t stream);
  // Opens the stream's window by bytes that were received.
  void Consume(int32_t stream, size_t bytes);
  // True when the peer has, or we have, ended its half, by frames that were dealt with before the present event.
  bool RemoteEnded(int32_t stream) const;
  bool LocalEnded(int32_t stream) const;

  // Events. None may destroy the session.
  virtual void OnHeaders(int32_t stream, Http2Headers headers, bool end_stream) = 0;
  virtual void OnData(int32_t stream, std::string_view bytes) = 0;
  virtual void OnRemoteEnd(int32_t stream) = 0;   // also after OnHeaders with end_stream
  virtual void OnLocalEnd(int32_t /*stream*/) {}  // our last frame of the stream is on its way
  virtual void OnStreamClosed(int32_t stream, uint32_t error) = 0;
  virtual void OnRequestSent(int32_t /*stream*/) {}
  virtual void OnRequestNotSent(int32_t /*stream*/) {}
  virtual void OnSettings() {}
  virtual void OnGoAway(uint32_t /*error*/, std::string_view /*text*/) {}
  virtual void OnPing() {}
  virtual void OnPong() {}
  virtual Output AskOutput(int32_t stream, size_t bytes_max) = 0;
  // Adds exactly `bytes`, which AskOutput promised, through AppendOutput. Asked until OnStreamClosed.
  virtual void TakeOutput(int32_t stream, size_t bytes) = 0;
  virtual void OnOutputEnd(int32_t /*stream*/) {}

  void AppendOutput(Http2Slice slice);

 private:
  struct Callbacks;
  void AppendControl(const uint8_t* bytes, size_t size);

  const Http2Options options_;
  nghttp2_session* session_ = nullptr;
  std::unordered_map<int32_t, Http2Headers> headers_;  // of blocks that are coming in
  size_t headers_bytes_ = 0;                           // of the block that is coming in
  bool goaway_sent_ = false, settings_received_ = false, broken_ = false, terminates_ = false;
  std::string error_text_;
  std::shared_ptr<std::string> control_;  // frames of ours are copied here; never grows beyond its capacity
  std::deque<Http2Slice> output_;
  size_t output_bytes_ = 0;
};

}  // namespace gauntlet::net
