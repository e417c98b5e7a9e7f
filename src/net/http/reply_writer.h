// ReplyWriter: turns what a handler says (HttpReply) into the bytes of one HTTP/1.x answer.
//
// A body that fits the buffer is sent at the end with its Content-Length; a longer one goes out in chunks. gzip is
// applied when the client takes it, the type is worth it and the handler has not encoded by itself.
// Threads: one thread at a time.

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "io/compress.h"
#include "net/http/message.h"

namespace gauntlet::net {

// Where the bytes go: the connection.
class ReplySink {
 public:
  virtual ~ReplySink() = default;
  // Both, one after the other; `body` may be large and is not copied. Blocks while more than a bounded amount waits for
  // the peer. kUnavailable when the client has gone.
  virtual Status Send(std::string head, std::string body) = 0;
  // True once the server wants connections to end: the answer then says "Connection: close".
  virtual bool Closing() const = 0;
};

class ReplyWriter final : public HttpReply {
 public:
  struct Options {
    bool head = false;    // a HEAD request: no body
    bool http10 = false;  // no chunks: the end of the connection ends the body
    bool keep_alive = true;
    bool gzip = false;  // the client accepts it
  };
  ReplyWriter(Options options, ReplySink& sink) : options_(options), sink_(sink) {}

  void SetStatus(int status) override { status_ = status; }
  HttpHeaders& headers() override { return headers_; }
  Status Write(std::string_view bytes) override;
  Status WriteOwned(std::string bytes) override;
  Status Flush() override;
  void Abort() override { aborted_ = true; }

  // Drops all that has not been sent and answers with this instead; false when the head is out already.
  bool Replace(int status, std::string_view text);
  // Sends the rest. Afterwards keep_alive() says whether the connection can take another request.
  void Finish();
  bool keep_alive() const { return options_.keep_alive; }
  int status() const { return status_; }

 private:
  enum class Part : uint8_t { kMore, kFlush, kLast };
  enum class Framing : uint8_t { kNone, kLength, kChunked, kToEnd };

  std::string Head(bool whole);
  void ChooseFraming(bool whole);
  bool WorthCompressing() const;
  void AppendHeaders(std::string* out) const;
  // Encodes and frames `body` (the next part of it) behind `out` and sends.
  Status SendBody(std::string out, std::string_view body, Part part);
  Status Send(std::string head, std::string body = {});

  Options options_;
  ReplySink& sink_;
  int status_ = 200;
  HttpHeaders headers_;
  std::string buffer_;
  bool committed_ = false, aborted_ = false;
  Status failed_;
  Framing framing_ = Framing::kNone;
  uint64_t length_left_ = 0;
  std::unique_ptr<io::GzipWriter> gzip_;
};

}  // namespace gauntlet::net
