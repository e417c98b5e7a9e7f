// S3Client: requests to one bucket of an S3 server: addressed, signed, sent, and sent again where that helps.
//
// Corrects by itself what the server complains of: another region, a clock that is off, keys that have expired.
// Threads: thread-safe.

#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"
#include "net/http_client.h"
#include "objstore/retry.h"
#include "objstore/s3/request.h"
#include "telemetry/log.h"

namespace gauntlet::objstore {

struct S3ClientOptions {
  std::string bucket;
  std::string endpoint;  // host, with a port that is not usual
  bool tls = true;
  bool virtual_hosted = false;  // the bucket is in the host's name
  bool amazon = false;          // the endpoint is AWS' own: the host follows the region
  bool dualstack = true;
  std::string region;  // "" = found out
  RetryOptions retry;
  const telemetry::Logger* trace = nullptr;  // requests are logged there, at debug
};

class S3Client {
 public:
  using OnHead = std::function<Status(const net::HttpAnswer&)>;
  using OnBytes = std::function<Status(std::string_view)>;

  S3Client(S3ClientOptions options, std::unique_ptr<net::HttpClient> http, std::unique_ptr<Authorizer> authorizer,
           Clock& clock);

  // A request's path is the object's name, or "" for the bucket; host and authorization are added here. Tried again
  // after temporary errors. Answers of other statuses than 2xx become errors.
  Result<net::HttpAnswer> Call(const Request& request, const Cancel& cancel);
  // One attempt; `on_bytes` gets the body of a 2xx answer, of others it is in the answer.
  Result<net::HttpAnswer> Attempt(const Request& request, const Cancel& cancel, const OnHead& on_head,
                                  const OnBytes& on_bytes);
  // After an attempt with this answer: true when something was put right, so that another should be made at once.
  bool Correct(const net::HttpAnswer& answer);

  const S3ClientOptions& options() const { return options_; }
  std::string region();

 private:
  Request Addressed(const Request& request, const std::string& region) const;

  const S3ClientOptions options_;
  const std::unique_ptr<net::HttpClient> http_;
  const std::unique_ptr<Authorizer> authorizer_;
  Clock& clock_;
  Mutex mutex_;
  std::string region_ GN_GUARDED_BY(mutex_);
  int64_t clock_offset_ms_ GN_GUARDED_BY(mutex_) = 0;
};

// The <Code> of an error's body, or "".
std::string S3ErrorCode(const net::HttpAnswer& answer);
// Ok for 2xx; else the error, by the body's code or the status.
Status S3Error(const net::HttpAnswer& answer);

}  // namespace gauntlet::objstore
