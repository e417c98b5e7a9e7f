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
#include "objstore/rest/part_cutter.h"
#include "objstore/rest/rest_client.h"

namespace gauntlet::objstore {

struct OciKey {
  std::string tenancy, user, fingerprint, private_key, passphrase;
};

// Signs each request with the key: HTTP signatures, rsa-sha256.
std::unique_ptr<Authorizer> MakeOciAuthorizer(OciKey key);
// What is signed, and the names of its parts.
std::string OciStringToSign(const Request& request, std::string* names);

class OciBucket final : public Bucket {
 public:
  OciBucket(std::string bucket, uint64_t part_bytes, std::unique_ptr<RestClient> client, Executor& executor)
      : bucket_(std::move(bucket)), part_bytes_(part_bytes), client_(std::move(client)), executor_(executor) {}

  // Asks for the name space that the tenancy has; before any other call.
  Status FindNamespace(const Cancel& cancel);

  std::string_view provider() const override { return "OCI"; }
  std::string name() const override { return bucket_; }
  Status Iter(const std::string& dir, const IterOptions& options, const Cancel& cancel,
              const OnEntry& on_entry) override;
  Status Get(const std::string& name, const Cancel& cancel, const OnBytes& on_bytes) override;
  Status GetRange(const std::string& name, uint64_t offset, uint64_t length, const Cancel& cancel,
                  const OnBytes& on_bytes) override;
  Result<bool> Exists(const std::string& name, const Cancel& cancel) override;
  Result<ObjectAttributes> Attributes(const std::string& name, const Cancel& cancel) override;
  Status Upload(const std::string& name, Source& source, const UploadOptions& options, const Cancel& cancel) override;
  Status Delete(const std::string& name, const Cancel& cancel) override;

 private:
  // `kind`: "o" objects, "u" uploads in parts.
  Request MakeRequest(const char* method, const char* kind, const std::string& name) const;
  Status PutWhole(const std::string& name, const UploadPart& part, const UploadOptions& options, const Cancel& cancel);
  Status PutParts(const std::string& name, PartCutter& cutter, const UploadOptions& options, const Cancel& cancel);

  const std::string bucket_;
  const uint64_t part_bytes_;
  const std::unique_ptr<RestClient> client_;
  Executor& executor_;
  std::string namespace_;
};

// By Thanos' YAML: providers "raw" and "default" (~/.oci/config). `endpoint` replaces the region's own, for tests.
Result<std::unique_ptr<Bucket>> MakeOciBucket(const config::Node& node, const Environment& environment,
                                              const std::string& endpoint = "");

}  // namespace gauntlet::objstore
