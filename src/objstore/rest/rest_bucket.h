// RestBucket: what buckets over HTTP have in common: an object is got, looked at and deleted by requests to its name.
//
// Threads: thread-safe, as its RestClient.

#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "objstore/bucket.h"
#include "objstore/rest/part_cutter.h"
#include "objstore/rest/rest_client.h"

namespace gauntlet::objstore {

class RestBucket : public Bucket {
 public:
  std::string_view provider() const override { return provider_; }
  std::string name() const override { return name_; }
  Status Get(const std::string& name, const Cancel& cancel, const OnBytes& on_bytes) override;
  Status GetRange(const std::string& name, uint64_t offset, uint64_t length, const Cancel& cancel,
                  const OnBytes& on_bytes) override;
  Result<bool> Exists(const std::string& name, const Cancel& cancel) override;
  Result<ObjectAttributes> Attributes(const std::string& name, const Cancel& cancel) override;
  Status Delete(const std::string& name, const Cancel& cancel) override;

 protected:
  RestBucket(std::string provider, std::string name, std::unique_ptr<RestClient> client)
      : provider_(std::move(provider)), name_(std::move(name)), client_(std::move(client)) {}

  // GET (of its bytes), HEAD or DELETE of an object.
  virtual Request ObjectRequest(const char* method, const std::string& name) const = 0;

  RestClient& client() const { return *client_; }
  // Sends the bytes of a part as the body.
  Result<net::HttpAnswer> SendPart(Request request, const UploadPart& part, const Cancel& cancel) const;
  // The same, of an object that is sent as one.
  Status SendWhole(Request request, const UploadPart& part, const UploadOptions& options, const Cancel& cancel) const;
  // Cuts the source and calls `whole` when that gives one part, else `parts`.
  static Status UploadCut(const std::string& name, Source& source, const CutOptions& cut, const Cancel& cancel,
                          const std::function<Status(const UploadPart&)>& whole,
                          const std::function<Status(PartCutter&)>& parts);

 private:
  const std::string provider_, name_;
  const std::unique_ptr<RestClient> client_;
};

}  // namespace gauntlet::objstore
