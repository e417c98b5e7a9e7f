// HttpTransfer: one call of an HttpClient, done by libcurl on the caller's thread.
//
// Each call borrows a curl multi handle, which holds the connections of one origin that it used before, and drives it
// by itself: body bytes reach the callback in place, a callback that blocks leaves the socket unread, and a Cancel
// wakes the wait.
// Threads: one thread at a time.

#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/cancel.h"
#include "base/status.h"
#include "net/http/client.h"

namespace gauntlet::net {

class CurlPool;
class CurlRequest;
struct Url;

class HttpTransfer {
 public:
  using OnHead = std::function<Status(const HttpAnswer&)>;
  using OnBody = std::function<Status(std::string_view)>;

  // All are borrowed. `receive_buffer_bytes`: what is read from the socket at once.
  HttpTransfer(const HttpClientOptions& options, const HttpCall& call, const Cancel& cancel,
               size_t receive_buffer_bytes, const OnHead& on_head, const OnBody& on_body);
  ~HttpTransfer();
  HttpTransfer(const HttpTransfer&) = delete;
  HttpTransfer& operator=(const HttpTransfer&) = delete;

  Status Run(const Url& url, CurlPool& pool);
  // The error that Run returned is that of a callback.
  bool callback_failed() const { return callback_failed_; }

 private:
  void SetCallbacks();
  Status Drive(void* multi);
  Status Outcome(int curl_code);
  // Ok, or why the call must end now.
  Status Ended() const;
  std::chrono::milliseconds WaitTime() const;
  Status HeadLine(std::string_view line);
  Status HeadDone();
  static size_t OnHeadLine(char* data, size_t size, size_t count, void* self);
  static size_t OnBodyBytes(char* data, size_t size, size_t count, void* self);
  static size_t OnSend(char* data, size_t size, size_t count, void* self);
  static int OnRewind(void* self, int64_t offset, int origin);

  const HttpClientOptions& options_;
  const HttpCall& call_;
  const Cancel& cancel_;
  const size_t receive_buffer_bytes_;
  const OnHead& on_head_;
  const OnBody& on_body_;
  const std::chrono::steady_clock::time_point begun_;
  std::unique_ptr<CurlRequest> request_;
  HttpAnswer head_;
  bool head_done_ = false, callback_failed_ = false;
  uint64_t sent_bytes_ = 0;  // of a streamed body
  std::string send_buffer_;
  std::chrono::steady_clock::time_point moved_;  // when a byte was last sent or received
  Status stopped_;                               // an error of a callback, or the end of the call's time
};

}  // namespace gauntlet::net
