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
#include "objstore/rest/part_cutter.h"
#include "objstore/rest/rest_client.h"

namespace gauntlet::objstore {

class GcsBucket final : public Bucket {
 public:
  // `chunk_bytes`: of uploads in chunks, a multiple of 256 KiB.
  GcsBucket(std::string bucket, uint64_t chunk_bytes, std::unique_ptr<RestClient> client);

  std::string_view provider() const override { return "GCS"; }
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
  Request ObjectRequest(const char* method, const std::string& name) const;
  Request UploadRequest(const std::string& name, const char* type, const UploadOptions& options) const;
  Status PutWhole(const std::string& name, const UploadPart& part, const UploadOptions& options, const Cancel& cancel);
  Status PutChunks(const std::string& name, PartCutter& cutter, const UploadOptions& options, const Cancel& cancel);

  const std::string bucket_;
  const uint64_t chunk_bytes_;
  const std::unique_ptr<RestClient> client_;
};

// By Thanos' YAML. STORAGE_EMULATOR_HOST in the environment leads to an emulator, without credentials.
Result<std::unique_ptr<Bucket>> MakeGcsBucket(const config::Node& node, const Environment& environment);

}  // namespace gauntlet::objstore
