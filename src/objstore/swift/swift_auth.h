// SwiftAuth: a token and the URL of the storage, from TempAuth (version 1) or Keystone (version 3).
//
// Format:  OpenStack, "Object Storage API" (auth v1), Identity API v3
// Threads: thread-safe.

#pragma once

#include <memory>
#include <string>

#include "base/mutex.h"
#include "net/http/client.h"
#include "net/url.h"
#include "objstore/rest/bearer_authorizer.h"
#include "objstore/swift/swift_config.h"

namespace gauntlet::objstore {

class SwiftAuth {
 public:
  SwiftAuth(SwiftConfig config, std::shared_ptr<net::HttpClient> http)
      : config_(std::move(config)), http_(std::move(http)) {}

  // Logs in; afterwards storage() is known.
  Result<BearerToken> Login(const Cancel& cancel);
  net::Url storage();

 private:
  Result<BearerToken> LoginV1(const Cancel& cancel);
  Result<BearerToken> LoginV3(const Cancel& cancel);
  Status SetStorage(std::string_view url);

  const SwiftConfig config_;
  const std::shared_ptr<net::HttpClient> http_;
  Mutex mutex_;
  net::Url storage_ GN_GUARDED_BY(mutex_);
};

// The body of a Keystone login.
std::string KeystoneLogin(const SwiftConfig& config);

}  // namespace gauntlet::objstore
