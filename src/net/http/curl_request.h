// CurlRequest: what a call asks of libcurl: URL, method, headers, body, credentials, proxy, TLS.
//
// Threads: one thread at a time.

#pragma once

#include <memory>

#include "base/status.h"
#include "net/http/client.h"

namespace gauntlet::net {

struct Url;

class CurlRequest {
 public:
  // Both are borrowed.
  CurlRequest(const HttpClientOptions& options, const HttpCall& call);
  ~CurlRequest();
  CurlRequest(const CurlRequest&) = delete;
  CurlRequest& operator=(const CurlRequest&) = delete;

  // Sets everything but where bytes come from and go to. kInvalid for a call that cannot be made.
  Status SetUp(const Url& url);
  // The CURL.
  void* easy() const;
  // What went wrong on it, or "".
  const char* error() const;

 private:
  struct Rep;
  Status SetUpRequest();
  Status SetUpAuth(const Url& url);
  Status SetUpTls();

  const HttpClientOptions& options_;
  const HttpCall& call_;
  std::unique_ptr<Rep> rep_;
};

}  // namespace gauntlet::net
