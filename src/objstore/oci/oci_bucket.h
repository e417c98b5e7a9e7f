// OciBucket: a bucket of Oracle Cloud Infrastructure, by its own API, asked with an API signing key.
//
// Upstream: objstore providers/oci
// Threads:  thread-safe.

#pragma once

#include <memory>
#include <string>

#include "base/executor.h"
#include "config/yaml.h"
#include "objstore/bucket.h"
#include "objstore/environment.h"
#include "objstore/rest/rest_bucket.h"

namespace gauntlet::objstore {

struct OciKey {
  std::string tenancy, user, fingerprint, private_key, passphrase;
};

// Signs each request with the key: HTTP signatures, rsa-sha256.
std::unique_ptr<Authorizer> MakeOciAuthorizer(OciKey key);
// What is signed, and the names of its parts.
std::string OciStringToSign(const Request& request, std::string* names);

class OciBucket final : public RestBucket {
 public:
  OciBucket(std::string bucket, uint64_t part_bytes, std::unique_ptr<RestClient> client, Executor& executor)
      : RestBucket("OCI", std::move(bucket), std::move(client)), part_bytes_(part_bytes), executor_(executor) {}

  // Asks for the name space that the tenancy has; before any other call.
  Status FindNamespace(const Cancel& cancel);

  Status Iter(const std::string& dir, const IterOptions& options, const Cancel& cancel,
              const OnEntry& on_entry) override;
  bool lists_ranges() const override { return true; }
  Status Upload(const std::string& name, Source& source, const UploadOptions& options, const Cancel& cancel) override;

 private:
  Request ObjectRequest(const char* method, const std::string& name) const override {
    return MakeRequest(method, "o", name);
  }
  // `kind`: "o" objects, "u" uploads in parts.
  Request MakeRequest(const char* method, const char* kind, const std::string& name) const;
  Status PutParts(const std::string& name, PartCutter& cutter, const UploadOptions& options, const Cancel& cancel);

  const uint64_t part_bytes_;
  Executor& executor_;
  std::string namespace_;
};

// By Thanos' YAML: providers "raw" and "default" (~/.oci/config). `endpoint` replaces the region's own, for tests.
Result<std::unique_ptr<Bucket>> MakeOciBucket(const config::Node& node, const Environment& environment,
                                              const std::string& endpoint = "");

}  // namespace gauntlet::objstore
