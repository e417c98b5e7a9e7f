// GcsBucket: a bucket of Google Cloud Storage, by its JSON API.
//
// Upstream: objstore providers/gcs
// Threads:  thread-safe.

#pragma once

#include <memory>
#include <string>

#include "config/yaml.h"
#include "objstore/bucket.h"
#include "objstore/environment.h"
#include "objstore/rest/rest_bucket.h"

namespace gauntlet::objstore {

class GcsBucket final : public RestBucket {
 public:
  // `chunk_bytes`: of uploads in chunks, a multiple of 256 KiB.
  GcsBucket(std::string bucket, uint64_t chunk_bytes, std::unique_ptr<RestClient> client);

  Status Iter(const std::string& dir, const IterOptions& options, const Cancel& cancel,
              const OnEntry& on_entry) override;
  bool lists_ranges() const override { return true; }
  Status Upload(const std::string& name, Source& source, const UploadOptions& options, const Cancel& cancel) override;
  Result<ObjectAttributes> Attributes(const std::string& name, const Cancel& cancel) override;

 private:
  Request ObjectRequest(const char* method, const std::string& name) const override;
  Request UploadRequest(const std::string& name, const char* type, const UploadOptions& options) const;
  Status PutChunks(const std::string& name, PartCutter& cutter, const UploadOptions& options, const Cancel& cancel);

  const uint64_t chunk_bytes_;
};

// By Thanos' YAML. STORAGE_EMULATOR_HOST in the environment leads to an emulator, without credentials.
Result<std::unique_ptr<Bucket>> MakeGcsBucket(const config::Node& node, const Environment& environment);

}  // namespace gauntlet::objstore
