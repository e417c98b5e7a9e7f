// KeyAuthorizer: signs requests with a pair of keys, by signature 4 or a dialect of 2.
//
// Threads: thread-safe.

#pragma once

#include <memory>
#include <string>

#include "net/http/client.h"
#include "objstore/rest/request.h"
#include "objstore/s3/credentials.h"
#include "objstore/s3/sign_v2.h"

namespace gauntlet::objstore {

class KeyAuthorizer final : public Authorizer {
 public:
  // `dialect`: of signature 2; null = signature 4. `resource_prefix`: what stands before the path in signatures of
  // version 2, "/bucket" when the host names it. `http` is kept for what `source` uses of it.
  KeyAuthorizer(std::unique_ptr<CredentialSource> source, const V2Dialect* dialect, std::string resource_prefix,
                std::unique_ptr<net::HttpClient> http = nullptr);

  Status Authorize(int64_t now_ms, const std::string& region, Request* request, const Cancel& cancel) override;
  bool Renew() override { return source_->Forget(); }

 private:
  const std::unique_ptr<net::HttpClient> http_;
  const std::unique_ptr<CredentialSource> source_;
  const V2Dialect* const dialect_;
  const std::string resource_prefix_;
};

}  // namespace gauntlet::objstore
