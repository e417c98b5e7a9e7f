// HttpClient: requests over a pool of kept-alive connections; TLS, proxy, basic and bearer auth, deadlines.
//
// Threads: thread-safe; calls block the caller's thread until the end or the cancel.

#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/cancel.h"
#include "base/status.h"
#include "net/http/message.h"
#include "net/tls.h"

namespace gauntlet::net {

struct HttpClientOptions {
  std::string user_agent = "Gauntlet";
  std::string basic_username, basic_password, basic_password_file;  // the file is read at each request
  std::string bearer_token, bearer_token_file;
  std::string proxy_url;
  TlsClientOptions tls;
  bool compression = true;  // ask for gzip
  size_t idle_connections_max = 100;
  std::chrono::milliseconds idle_timeout{90'000};
  std::chrono::milliseconds connect_timeout{30'000};
  std::chrono::milliseconds header_timeout{0};  // from the request's last byte to the answer's first; 0 = none
  std::chrono::milliseconds stall_timeout{0};   // without a byte in either direction, callbacks not counted; 0 = none
  std::chrono::milliseconds timeout{0};         // of a whole call, beside the cancel's deadline; 0 = none
  bool follow_redirects = true;
  bool proxy_from_environment = false;  // without proxy_url: http_proxy, https_proxy, no_proxy, as Go and curl do
};

struct HttpCall {
  std::string method = "GET";
  std::string url;
  HttpHeaders headers;
  std::string body;
  // Instead of `body`: `streamed_bytes` bytes, read as they are sent, perhaps again from the start. `n` bytes from
  // `offset` replace *out; an error ends the call and is returned.
  std::function<Status(uint64_t offset, size_t n, std::string* out)> streamed_body;
  uint64_t streamed_bytes = 0;
};

struct HttpAnswer {
  int status = 0;
  HttpHeaders headers;
  std::string body;
};

class HttpClient {
 public:
  static Result<std::unique_ptr<HttpClient>> Make(HttpClientOptions options);
  virtual ~HttpClient() = default;

  // Any status is an answer. kUnavailable for connection trouble, kDeadline, kCancelled, kExhausted when the body is
  // longer than `body_bytes_max`.
  virtual Result<HttpAnswer> Do(const HttpCall& call, const Cancel& cancel, size_t body_bytes_max = 64 << 20) = 0;

  // Body bytes as they arrive; while a callback blocks, the connection is not read (so a slow consumer slows the peer).
  // `on_head` gets status and headers (its body is empty); an error from either callback ends the call with that error.
  virtual Status Stream(const HttpCall& call, const Cancel& cancel,
                        const std::function<Status(const HttpAnswer&)>& on_head,
                        const std::function<Status(std::string_view)>& on_body) = 0;
};

}  // namespace gauntlet::net
