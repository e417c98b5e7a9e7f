// AzureBucket: a container of Azure Blob Storage.
//
// Upstream: objstore providers/azure
// Threads:  thread-safe.

#pragma once

#include <memory>
#include <string>

#include "base/executor.h"
#include "objstore/bucket.h"
#include "objstore/environment.h"
#include "objstore/rest/part_cutter.h"
#include "objstore/rest/rest_client.h"

namespace gauntlet::objstore {

struct AzureConfig;

class AzureBucket final : public Bucket {
 public:
  AzureBucket(std::string container, std::unique_ptr<RestClient> client, Executor& executor)
      : container_(std::move(container)), client_(std::move(client)), executor_(executor) {}

  // Makes the container when it is not there.
  Status CreateContainer(const Cancel& cancel);

  std::string_view provider() const override { return "AZURE"; }
  std::string name() const override { return container_; }
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
  Status PutWhole(const std::string& name, const UploadPart& part, const UploadOptions& options, const Cancel& cancel);
  Status PutBlock(const std::string& name, const UploadPart& part, const Cancel& cancel);

  const std::string container_;
  const std::unique_ptr<RestClient> client_;
  Executor& executor_;
};

Result<std::unique_ptr<Bucket>> MakeAzureBucket(const AzureConfig& config, const Environment& environment);

}  // namespace gauntlet::objstore
