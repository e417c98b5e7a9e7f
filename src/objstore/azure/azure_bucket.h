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
#include "objstore/rest/rest_bucket.h"

namespace gauntlet::objstore {

struct AzureConfig;

class AzureBucket final : public RestBucket {
 public:
  AzureBucket(std::string container, std::unique_ptr<RestClient> client, Executor& executor)
      : RestBucket("AZURE", std::move(container), std::move(client)), executor_(executor) {}

  // Makes the container when it is not there.
  Status CreateContainer(const Cancel& cancel);

  Status Iter(const std::string& dir, const IterOptions& options, const Cancel& cancel,
              const OnEntry& on_entry) override;
  Status Upload(const std::string& name, Source& source, const UploadOptions& options, const Cancel& cancel) override;

 private:
  Request ObjectRequest(const char* method, const std::string& name) const override;
  Status PutBlocks(const std::string& name, PartCutter& cutter, const UploadOptions& options, const Cancel& cancel);

  Executor& executor_;
};

Result<std::unique_ptr<Bucket>> MakeAzureBucket(const AzureConfig& config, const Environment& environment);

}  // namespace gauntlet::objstore
