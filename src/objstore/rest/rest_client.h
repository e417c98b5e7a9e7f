// RestClient: requests to one bucket of a store that is spoken to over HTTP: addressed, signed, sent, and sent again
// where that helps.
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
#include "net/http/client.h"
#include "objstore/bucket.h"
#include "objstore/rest/request.h"
#include "objstore/retry.h"
#include "telemetry/log.h"

namespace gauntlet::objstore {

struct RestOptions {
  // Turns a request for an object (its path is the object's name, "" = the bucket) into one to a server.
  std::function<void(Request* request, const std::string& region)> address;
  // Ok for an answer that is none; else the error.
  std::function<Status(const net::HttpAnswer&)> error;
  std::string region;  // "" = found out
  RetryOptions retry;
  const telemetry::Logger* trace = nullptr;  // requests are logged there, at debug
};

class RestClient {
 public:
  using OnHead = std::function<Status(const net::HttpAnswer&)>;
  using OnBytes = std::function<Status(std::string_view)>;

  RestClient(RestOptions options, std::unique_ptr<net::HttpClient> http, std::unique_ptr<Authorizer> authorizer,
             Clock& clock);

  // Tried again after temporary errors. Answers of other statuses than 2xx become errors.
  Result<net::HttpAnswer> Call(const Request& request, const Cancel& cancel);
  // One attempt; `on_bytes` gets the body of a 2xx answer, of others it is in the answer.
  Result<net::HttpAnswer> Attempt(const Request& request, const Cancel& cancel, const OnHead& on_head,
                                  const OnBytes& on_bytes);
  // After an attempt with this answer: true when something was put right, so that another should be made at once.
  bool Correct(const net::HttpAnswer& answer);
  Status ErrorOf(const net::HttpAnswer& answer) const { return options_.error(answer); }

  // The bytes [offset, offset + length) that a GET of this request gives, each once: after a break another GET goes on
  // from there, of the same version of the object. `name` is for errors.
  Status Download(const Request& get, const std::string& name, uint64_t offset, uint64_t length, const Cancel& cancel,
                  const Bucket::OnBytes& on_bytes);
  // Size and time of an object by the headers of a HEAD of this request.
  Result<ObjectAttributes> Head(const Request& head, const std::string& name, const Cancel& cancel);

 private:
  const RestOptions options_;
  const std::unique_ptr<net::HttpClient> http_;
  const std::unique_ptr<Authorizer> authorizer_;
  Clock& clock_;
  Mutex mutex_;
  std::string region_ GN_GUARDED_BY(mutex_);
  int64_t clock_offset_ms_ GN_GUARDED_BY(mutex_) = 0;
};

// What a status means, where the server says nothing more.
Code CodeOfStatus(int status);
// The <Code> of an XML error's body, or "".
std::string XmlErrorCode(const net::HttpAnswer& answer);
// The error of an answer with an XML body, as S3 and those like it give; ok for 2xx.
Status XmlError(const net::HttpAnswer& answer);

}  // namespace gauntlet::objstore
