// SwiftBucket: a container of OpenStack Swift. Large objects are segments with a manifest, static or dynamic.
//
// Upstream: objstore providers/swift
// Threads:  thread-safe.

#pragma once

#include <memory>
#include <string>

#include "base/executor.h"
#include "objstore/bucket.h"
#include "objstore/environment.h"
#include "objstore/rest/part_cutter.h"
#include "objstore/rest/rest_client.h"
#include "objstore/swift/swift_config.h"

namespace gauntlet::objstore {

class SwiftBucket final : public Bucket {
 public:
  SwiftBucket(SwiftConfig config, std::unique_ptr<RestClient> client, Executor& executor)
      : config_(std::move(config)), client_(std::move(client)), executor_(executor) {}

  // kInvalid when there is no such container.
  Status CheckContainers(const Cancel& cancel);

  std::string_view provider() const override { return "SWIFT"; }
  std::string name() const override { return config_.container; }
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
  Request InContainer(const char* method, const std::string& container, const std::string& name) const;
  Status PutWhole(const std::string& name, const UploadPart& part, const UploadOptions& options, const Cancel& cancel);
  Status PutSegments(const std::string& name, PartCutter& cutter, const Cancel& cancel);

  const SwiftConfig config_;
  const std::unique_ptr<RestClient> client_;
  Executor& executor_;
};

Result<std::unique_ptr<Bucket>> MakeSwiftBucket(const config::Node& node, const Environment& environment);

}  // namespace gauntlet::objstore
