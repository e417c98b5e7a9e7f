// RequestParser: the bytes of one HTTP/1.x connection in, one request after the other out, within limits.
//
// Stricter than the RFC allows where leniency has been used for request smuggling: any Transfer-Encoding but "chunked",
// both lengths at once, or a missing or doubled Host end the connection.
// Threads: one thread at a time.

#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "net/http/message.h"

namespace gauntlet::net {

class RequestParser {
 public:
  struct Limits {
    size_t head_bytes_max = 1 << 20;
    size_t body_bytes_max = 64 << 20;  // as on the wire
  };
  enum class State : uint8_t {
    kIdle,      // no byte of the next request yet
    kHead,      // inside request line and headers
    kBody,      // headers are there: request() has all but the body
    kComplete,  // request() is whole
    kFailed,    // error_status() and error_text() say why; the connection cannot go on
  };

  explicit RequestParser(Limits limits);
  ~RequestParser();

  // Takes all of `bytes`. What follows a complete request is kept for the next one.
  void Feed(std::string_view bytes);
  State state() const { return state_; }
  // Bytes taken and not parsed yet.
  size_t buffered() const { return pending_.size(); }

  HttpRequest& request() { return request_; }
  bool http10() const { return http10_; }
  bool keep_alive() const { return keep_alive_; }
  // The client waits for "100 Continue" before it sends the body.
  bool expects_continue() const { return expects_continue_; }
  int error_status() const { return error_status_; }
  const std::string& error_text() const { return error_text_; }

  // Goes to the next request, parsing what Feed kept. REQUIRES: state() is kComplete.
  void Next();

 private:
  class Machine;  // Beast's parser

  void Advance(std::string_view& bytes);
  void HeadDone();
  void Fail(int status, std::string text);

  const Limits limits_;
  std::unique_ptr<Machine> machine_;
  State state_ = State::kIdle;
  HttpRequest request_;
  std::string pending_;
  size_t head_bytes_ = 0;
  bool http10_ = false, keep_alive_ = false, expects_continue_ = false;
  int error_status_ = 0;
  std::string error_text_;
};

}  // namespace gauntlet::net
