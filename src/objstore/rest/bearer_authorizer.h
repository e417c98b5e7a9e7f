// BearerAuthorizer: requests carry a token that is fetched when it is needed, and again before it ends.
//
// Threads: thread-safe.

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "net/http/client.h"
#include "objstore/renewed.h"
#include "objstore/rest/request.h"

namespace gauntlet::objstore {

struct BearerToken {
  std::string token;
  int64_t expires_ms = INT64_MAX;
};

class BearerAuthorizer final : public Authorizer {
 public:
  using Fetch = Renewed<BearerToken>::Fetch;
  // `header` "Authorization" gets "Bearer TOKEN"; any other the token itself. `http` is kept for what `fetch` uses of
  // it.
  BearerAuthorizer(Fetch fetch, Clock& clock, std::string header = "Authorization",
                   std::shared_ptr<net::HttpClient> http = nullptr);

  Status Authorize(int64_t now_ms, const std::string& region, Request* request, const Cancel& cancel) override;
  bool Renew() override;

 private:
  Renewed<BearerToken> token_;
  const std::string header_;
  const std::shared_ptr<net::HttpClient> http_;
};

// The answer of an OAuth token endpoint: access_token, expires_in.
Result<BearerToken> AskForToken(net::HttpClient& http, net::HttpCall call, Clock& clock, const Cancel& cancel);

}  // namespace gauntlet::objstore
